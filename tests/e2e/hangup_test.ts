import assert from "node:assert/strict";
import { createClient } from "../../src/client/client.ts";
import { assertNothingLeft } from "../support/leaks.ts";
import { startProgram } from "../support/program.ts";
import { runInTerminal, terminalMissing } from "../support/run_in_terminal.ts";

const noTerminal = await terminalMissing();
if (noTerminal !== undefined) {
  // deno-lint-ignore no-console -- the reason of a skipped test is its result
  console.log(`skipped: a closed terminal: ${noTerminal}`);
}

Deno.test({
  name: "serve ends and leaves no browser when its terminal is closed",
  ignore: noTerminal !== undefined,
  async fn() {
    const dataDir = await Deno.makeTempDir({ prefix: "browsergrid-e2e-" });
    {
      await using serve = runInTerminal([
        ...["serve", "--with-worker", "--port", "0", "--data-dir", dataDir],
      ]);
      const shown = await serve.type("", /Stop with Ctrl\+C/);
      const [, url = ""] = /API +(http:\S+)\/v1/.exec(shown) ?? [];
      const client = createClient({ apiUrl: url });
      await client.createSession({}, { waitSeconds: 30 });
      // The terminal is closed when its other end is.
    }
    await assertNothingLeft(dataDir);
    await Deno.remove(dataDir, { recursive: true });
  },
});

Deno.test("a worker drains at SIGHUP as at SIGTERM, and leaves no browser", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "browsergrid-e2e-" });
  {
    const folder = ["--data-dir", dataDir];
    await using serve = startProgram(["serve", "--port", "0", ...folder]);
    const [, apiUrl = ""] = await serve.until(/API +(http:\S+)\/v1/);
    const client = createClient({ apiUrl });
    await client.createPool({ name: "here", provider_type: "local" });
    await using worker = startProgram(
      ["worker", "--work-pool-id", "here", "--api-url", apiUrl, ...folder],
    );
    const { id } = await client.createSession({}, { waitSeconds: 30 });
    worker.kill("SIGHUP");
    await worker.until(/Draining/);
    await client.stopSession(id);
    assert.equal((await worker.status).code, 0, worker.output());
    await assertNothingLeft(dataDir);
    serve.kill("SIGHUP");
    assert.equal((await serve.status).code, 0, serve.output());
  }
  await Deno.remove(dataDir, { recursive: true });
});
