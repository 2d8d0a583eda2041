import assert from "node:assert/strict";
import { join } from "node:path";
import { readLogText } from "../apps/sessions/log_client.ts";
import { dockerMissing } from "../support/docker.ts";
import { startProgram } from "../support/program.ts";
import { browserGrid } from "./browser_grid.ts";

const WITHOUT_END =
  "setInterval(() => { for (let i = 0; i < 500; i++) console.log('x'.repeat(2000)) }, 10)";

for (const provider of ["local", "docker"] as const) {
  Deno.test({
    name:
      `the console of a page is followed over the API and the command line, with ${provider}`,
    ignore: provider === "docker" && dockerMissing !== undefined,
    async fn() {
      await using grid = await browserGrid(provider);
      const { client } = grid;
      await using page = await grid.page({});
      const log = (text: string) =>
        page.call("Runtime.evaluate", {
          expression: `console.log(${JSON.stringify(text)})`,
        });
      const [session] = (await client.listSessions()).items;
      const { id } = session ?? assert.fail("no session");
      await log("from before");
      await using text = readLogText(
        await fetch(`${client.apiUrl}/v1/sessions/${id}/logs?follow=true`),
      );
      await text.until(/DevTools listening on[^]*CONSOLE.*"from before"/);
      await using command = startProgram([
        ...["session", "logs", id, "-f", "--api-url", client.apiUrl],
      ]);
      await command.until(/"from before"/);
      await log("live \x1b[31m");
      await text.until(/"live .\[31m"/);
      await command.until(/"live \\x1b\[31m"/);
      await log("the last");
      await client.stopSession(id);
      assert.match(await text.all(), /"the last"/);
      assert.equal((await command.status).code, 0);
      assert.match(command.output(), /"the last"/);
    },
  });
}

Deno.test("a browser that writes without end neither fills the disk nor floods its followers", async () => {
  await using grid = await browserGrid("local");
  const { client } = grid;
  await using page = await grid.page({});
  const [session] = (await client.listSessions()).items;
  const { id } = session ?? assert.fail("no session");
  const end = new AbortController();
  const parts = client.followSessionLogs(id, { signal: end.signal });
  const { value: first } = await parts.next();
  assert.ok(first && "text" in first && first.first);
  await page.call("Runtime.evaluate", { expression: WITHOUT_END });
  const began = performance.now();
  let bytes = 0;
  let omitted = 0;
  while (performance.now() - began < 5_000) {
    const { value } = await parts.next();
    assert.ok(value && "text" in value);
    bytes += value.text.length;
    omitted += value.omitted_bytes;
  }
  const seconds = (performance.now() - began) / 1_000;
  assert.ok(omitted > bytes, `${omitted} omitted, ${bytes} received`);
  assert.ok(bytes / seconds < 100_000, `${bytes} bytes in ${seconds} s`);
  assert.ok(omitted > 1_048_576, `${omitted} omitted`);
  end.abort();
  await parts.return(undefined);
  const size = await measureOutput(grid.dataDir);
  assert.ok(size < 32 * 2 ** 20, `${size} bytes in files`);
});

/** Returns the size of the files with the output of browsers. */
async function measureOutput(folder: string): Promise<number> {
  let size = 0;
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) size += await measureOutput(path);
    else if (/^output.*log$/.test(name)) size += (await Deno.stat(path)).size;
  }
  return size;
}

Deno.test("session logs --follow ends with code 0 at Ctrl+C", async () => {
  await using grid = await browserGrid("local");
  const { client } = grid;
  const { id } = await client.createSession({}, { waitSeconds: 60 });
  await using command = startProgram([
    ...["session", "logs", id, "--follow", "--api-url", client.apiUrl],
  ]);
  await command.until(/DevTools listening/);
  command.kill("SIGINT");
  assert.equal((await command.status).code, 0);
});
