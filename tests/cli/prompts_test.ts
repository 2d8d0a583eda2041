import assert from "node:assert/strict";
import { cli } from "../support/cli.ts";
import { testGrid } from "../support/grid.ts";
import {
  runInTerminal,
  terminalMissing,
  type TerminalProgram,
} from "../support/run_in_terminal.ts";

const reason = await terminalMissing();

function terminalTest(name: string, fn: () => Promise<void>): void {
  if (reason) {
    // deno-lint-ignore no-console -- the reason of a skipped test is its result
    console.log(`skipped: ${name}: ${reason}`);
  }
  Deno.test({ name, fn, ignore: reason !== undefined });
}

terminalTest(
  "dbshell's prompt accepts SQL over several lines, continues after an error and Ctrl+C, and ends with 0",
  async () => {
    const dir = await Deno.makeTempDir({ prefix: "browsergrid-test-" });
    try {
      await cli("createdb", "--data-dir", dir);
      await using prompt = runInTerminal(["dbshell", "--data-dir", dir]);
      const welcome = await prompt.type("", /sql> /);
      assert.match(welcome, /Connected with file:.*browsergrid\.db/);
      assert.match(await prompt.type("SELEC 1;\r", /error[^]*sql> /), /syntax/);
      await prompt.type("SELECT 40\r", /\.\.\.> /);
      assert.match(
        await prompt.type("+ 2 AS n;\r", /1 row[^]*sql> /),
        /\b42\b/,
      );
      await prompt.type("SELECT 1 +\r", /\.\.\.> /);
      await prompt.type("\x03", /sql> /);
      assert.match(await prompt.type("SELECT 7;\r", /1 row[^]*sql> /), /\b7\b/);
      assert.equal(await prompt.end(".quit\r"), 0);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
);

terminalTest(
  "shell's prompt has settings, database and client, continues after an error, and keeps its history for its owner",
  async () => {
    await using grid = await testGrid({ listen: true });
    const history = `${grid.dataDir}/shell_history`;
    const at = ["--api-url", grid.url, "--data-dir", grid.dataDir];
    await using prompt = runInTerminal([
      "shell",
      ...at,
      "--api-key",
      "secret-1",
    ]);
    await prompt.type("", /browsergrid> /);
    const ask = (code: string, answer: RegExp) =>
      prompt.type(`${code}\r`, new RegExp(`${answer.source}[^]*browsergrid> `));
    await ask("const { items } = await api.listPools()", /\n/);
    await ask("items.length + 40", /\b40\b/);
    await ask("nothing.there", /nothing is not defined/);
    await ask('await api.getPool("x")', /Cannot find work pool "x"/);
    await ask('const lost = api.getPool("y")', /Uncaught Cannot find .*"y"/);
    await ask("void setTimeout(() => { throw 7 }, 1)", /Uncaught 7/);
    await ask('await db.query("SELECT 6 * 7 AS n")', /n: 42/);
    assert.doesNotMatch(await ask("settings", /api_key/), /secret-1/);
    assert.equal(await pressCtrlD(prompt), 0);
    assert.match(await Deno.readTextFile(history), /nothing\.there/);
    assert.equal(((await Deno.stat(history)).mode ?? 0) & 0o077, 0);
  },
);

/** Ends the prompt. */
function pressCtrlD(prompt: TerminalProgram): Promise<number> {
  return prompt.end("\x04");
}
