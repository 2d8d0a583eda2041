import assert from "node:assert/strict";
import { join } from "node:path";
import {
  findProcessGroups,
  SETSID,
} from "../../../src/providers/local/process/orphan_processes.ts";
import { readProcessStat } from "../../../src/providers/local/process/process_stat.ts";
import { spawnBrowser } from "../../../src/providers/local/spawn_browser.ts";
import { browserSpec } from "../../support/browser_spec.ts";

/** Starts a shell script instead of a browser, in a folder that disposal removes. */
async function spawnScript(script: string) {
  const folder = await Deno.makeTempDir();
  const path = join(folder, "browser.sh");
  await Deno.writeTextFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const browser = { path, source: "test", headlessOnly: false };
  const spawned = spawnBrowser(
    { spec: browserSpec(), browser, folder, sandbox: false, arguments: [] },
    {
      proxyServer: undefined,
      display: undefined,
      temporary: folder,
      box: undefined,
    },
  );
  return {
    ...spawned,
    folder,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

Deno.test("spawnBrowser() makes the browser the first process of its own group", async () => {
  await using spawned = await spawnScript("cat /proc/$$/stat > stat");
  await spawned.exit;
  const stat = await Deno.readTextFile(join(spawned.folder, "stat"));
  const [, , group, session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  assert.equal(Number(group), spawned.pid);
  assert.equal(Number(session), spawned.pid);
});

Deno.test("a browser can be killed before it has its own group", async () => {
  await using spawned = await spawnScript("exec sleep 300");
  spawned.kill();
  assert.deepEqual(await spawned.exit, {
    reason: "crashed",
    detail: "the browser was ended by SIGKILL",
  });
  assert.equal(readProcessStat(spawned.pid ?? 0), undefined);
});

Deno.test("the group of a process that does not have its own group yet is not a session's", async () => {
  const folder = "/nowhere/session";
  const option = `--user-data-dir=${folder}/profile`;
  const child = new Deno.Command("bash", {
    // Shows the command line of the program that creates the group.
    args: ["-c", `exec -a ${SETSID} bash -c 'read line' ${option}`],
    stdin: "piped",
  }).spawn();
  const readName = () => Deno.readTextFile(`/proc/${child.pid}/cmdline`);
  while (!(await readName()).startsWith(SETSID)) {
    await new Promise((done) => setTimeout(done, 5));
  }
  assert.deepEqual(await findProcessGroups(folder), []);
  await child.stdin.close();
  await child.status;
});
