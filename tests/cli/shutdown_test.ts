import assert from "node:assert/strict";

const SHUTDOWN = new URL("../../src/cli/shutdown.ts", import.meta.url);

const skip = Deno.build.os !== "linux"
  ? "ignored signals are read from /proc"
  : undefined;
if (skip !== undefined) {
  // deno-lint-ignore no-console -- the reason of a skipped test is its result
  console.log(`skipped: signals of a process: ${skip}`);
}

/** A program that prints when it listens and which signal stopped it. */
const PROGRAM = `
import { Shutdown } from ${JSON.stringify(SHUTDOWN.href)};
const shutdown = Shutdown.listen({ untilExit: true });
console.log("listens");
if (Deno.args.length > 0) {
  for await (const _ of Deno.stdin.readable) break;
  console.log(shutdown.stop.aborted);
  Deno.kill(Deno.pid, "SIGTERM");
}
await new Promise((resolve) => shutdown.stop.addEventListener("abort", resolve));
shutdown[Symbol.dispose]();
// A process that is about to exit ignores one more signal.
for (const signal of ["SIGHUP", "SIGTERM", "SIGINT"]) Deno.kill(Deno.pid, signal);
await new Promise((resolve) => setTimeout(resolve, 50));
console.log("stops");
`;

/** Starts it through a shell that runs `before`, and resolves when it listens. */
async function listener(before: string) {
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(path, PROGRAM);
  const child = new Deno.Command("sh", {
    args: [
      "-c",
      `${before} exec "$0" run --no-check --quiet -A "$@"`,
      Deno.execPath(),
      path,
      ...(before === "" ? [] : ["asks"]),
    ],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  assert.equal((await lines.read()).value?.trim(), "listens");
  return {
    child,
    async tell(text: string) {
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode(text));
      await writer.close();
    },
    async rest() {
      let text = "";
      for (;;) {
        const { value, done } = await lines.read();
        if (done) break;
        text += value;
      }
      await child.stdin.close().catch(() => {});
      await Deno.remove(path);
      return { text: text.trim(), code: (await child.status).code };
    },
  };
}

for (const signal of ["SIGHUP", "SIGTERM", "SIGINT"] as const) {
  Deno.test({
    name:
      `Shutdown.listen() stops at ${signal}, and signals after it do not end the process before it is done`,
    ignore: skip !== undefined,
    async fn() {
      const { child, rest } = await listener("");
      child.kill(signal);
      assert.deepEqual(await rest(), { text: "stops", code: 0 });
    },
  });
}

Deno.test({
  name: "Shutdown.listen() ignores SIGHUP under nohup",
  ignore: skip !== undefined,
  async fn() {
    const { child, tell, rest } = await listener("trap '' HUP;");
    child.kill("SIGHUP");
    await tell("said");
    assert.deepEqual(await rest(), { text: "false\nstops", code: 0 });
  },
});
