import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserHost } from "../../../src/core/provider.ts";
import { findBrowser } from "../../../src/providers/local/find_browser.ts";
import { launch } from "../../../src/providers/local/launch.ts";
import { Orphans } from "../../../src/providers/local/orphans.ts";
import { readStartTime } from "../../../src/providers/local/process/process_identity.ts";
import { local } from "../../../src/providers/local/provider.ts";
import {
  makeShortFolder,
  shortFolderName,
} from "../../../src/providers/kit/short_folder.ts";
import { browserSpec } from "../../support/browser_spec.ts";
import { processesWith } from "../../support/leaks.ts";

const NEVER = new AbortController().signal;

const chromium = await findBrowser(undefined);

/** A worker's host with a separate data folder. */
interface Scene extends AsyncDisposable {
  readonly host: BrowserHost;
  readonly dataDir: string;
  folderOf(sessionId: string): string;
}

async function scene(): Promise<Scene> {
  const dataDir = await Deno.makeTempDir();
  const owner = { gridId: "grid-1", workerId: "worker-1" };
  const config = local.configSchema.parse({});
  const host = await local.open(config, { ...owner, dataDir });
  return {
    host,
    dataDir,
    folderOf: (id) => join(dataDir, "local", owner.gridId, owner.workerId, id),
    async [Symbol.asyncDispose]() {
      await host.sweep(new Set());
      await host[Symbol.asyncDispose]();
      await Deno.remove(dataDir, { recursive: true });
    },
  };
}

/** Starts an idle process with `words` in its command line. */
function startIdle(...words: string[]): ChildProcess {
  const args = ["-c", "read line", "idle", ...words];
  return spawn("sh", args, {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
}

/** Runs a program and reports whether it succeeded. */
async function run(program: string, ...args: string[]): Promise<boolean> {
  const command = new Deno.Command(program, { args, stderr: "null" });
  return await command.output().then(({ success }) => success, () => false);
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/** Declares a test that is skipped with a printed reason if a requirement is missing. */
function testIf(
  missing: string | undefined,
  name: string,
  fn: () => Promise<void>,
): void {
  if (missing !== undefined) {
    // deno-lint-ignore no-console -- the reason of a skipped test is its result
    console.log(`skipped: ${name}: ${missing}`);
  }
  Deno.test({ name, fn, ignore: missing !== undefined });
}

Deno.test("sweep() ends processes that were never recorded, and no others", async () => {
  await using test = await scene();
  const folder = test.folderOf("s");
  await Deno.mkdir(folder, { recursive: true });
  const browser = startIdle(`--user-data-dir=${folder}/profile`, "about:blank");
  const display = startIdle("-nolisten", "tcp", "-I", folder);
  const other = startIdle(`--user-data-dir=${folder}2/profile`, `${folder}/x`);
  const ends = [browser, display].map((child) => once(child, "exit"));
  const otherEnd = once(other, "exit");
  await Promise.all(
    [browser, display, other].map((child) => readStartTime(child.pid ?? 0)),
  );
  assert.deepEqual(await test.host.sweep(new Set()), ["s"]);
  assert.deepEqual(await Promise.all(ends), [
    [null, "SIGKILL"],
    [null, "SIGKILL"],
  ]);
  assert.notEqual(await readStartTime(other.pid ?? 0), undefined);
  assert.ok(!await isThere(folder));
  other.kill("SIGKILL");
  await otherEnd;
});

Deno.test("concurrent calls of Orphans.end() for one folder share the work", async () => {
  await using test = await scene();
  const folder = test.folderOf("s");
  await Deno.mkdir(folder, { recursive: true });
  const orphans = new Orphans();
  const first = orphans.end(folder);
  assert.equal(orphans.end(folder), first);
  assert.notEqual(orphans.end(`${folder}2`), first);
  await first;
  await Deno.mkdir(folder);
  assert.notEqual(orphans.end(folder), first);
  await orphans.end(folder);
  assert.ok(!await isThere(folder));
});

Deno.test("sweep() finds temporary files as long as their session's folder exists", async () => {
  await using test = await scene();
  const folder = test.folderOf("s");
  await Deno.mkdir(folder, { recursive: true });
  const temporary = await makeShortFolder(folder);
  await Deno.mkdir(join(temporary, "org.chromium.Chromium.1"), {
    recursive: true,
  });
  assert.deepEqual(await test.host.sweep(new Set()), ["s"]);
  assert.ok(!await isThere(temporary));
  assert.ok(!await isThere(folder));
});

Deno.test("sweep() rejects if it cannot list the sessions, and treats a missing folder as empty", async () => {
  await using test = await scene();
  assert.deepEqual(await test.host.sweep(new Set()), []);
  const folder = join(test.dataDir, "local", "grid-1");
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(join(folder, "worker-1"), "");
  await assert.rejects(test.host.sweep(new Set()));
  await Deno.remove(join(folder, "worker-1"));
});

/** Creates a folder that cannot be removed until it is mutable again. */
async function chattr(flag: "+i" | "-i", path: string): Promise<boolean> {
  return await run("chattr", flag, path);
}

async function cannotChattr(): Promise<string | undefined> {
  const file = await Deno.makeTempFile();
  const can = await chattr("+i", file);
  await chattr("-i", file);
  await Deno.remove(file);
  return can ? undefined : "chattr does not work here";
}

testIf(
  await cannotChattr(),
  "sweep() removes the other folders if one cannot be removed, and that one later",
  async () => {
    await using test = await scene();
    for (const id of ["a", "busy", "z"]) {
      await Deno.mkdir(test.folderOf(id), { recursive: true });
    }
    const stuck = join(test.folderOf("busy"), "profile");
    await Deno.writeTextFile(stuck, "");
    await chattr("+i", stuck);
    await assert.rejects(
      test.host.sweep(new Set()),
      /Cannot remove folder ".*\/busy"/,
    );
    assert.ok(!await isThere(test.folderOf("a")));
    assert.ok(!await isThere(test.folderOf("z")));
    await chattr("-i", stuck);
    assert.deepEqual(await test.host.sweep(new Set()), ["busy"]);
    assert.ok(!await isThere(test.folderOf("busy")));
  },
);

/** Creates a folder on a small disk, to which no file can be written when it is full. */
async function tinyDisk(): Promise<string | undefined> {
  const folder = await Deno.makeTempDir();
  const options = ["-t", "tmpfs", "-o", "size=16k,nr_inodes=100", "tmpfs"];
  if (await run("mount", ...options, folder)) return folder;
  await Deno.remove(folder);
}

const disk = await tinyDisk();

testIf(
  disk === undefined ? "mount does not work here" : undefined,
  "launch() whose record cannot be written ends the browser and leaves no resources",
  async () => {
    assert.ok(disk !== undefined);
    const script = join(await Deno.makeTempDir(), "browser.sh");
    // It fills the disk before it is recorded, and continues to run.
    await Deno.writeTextFile(
      script,
      "#!/bin/sh\ncat /dev/zero > full 2>/dev/null\nsleep 300\n",
      { mode: 0o755 },
    );
    await Deno.writeFile(join(disk, "full"), new Uint8Array(16_384))
      .catch(() => {});
    const folder = join(disk, "session-1");
    await assert.rejects(
      launch({
        spec: browserSpec(),
        sessionId: "session-1",
        gridId: "grid-1",
        browser: { path: script, source: "test", headlessOnly: false },
        folder,
        sandbox: false,
        arguments: [],
      }, NEVER),
      /Cannot write ".*browser\.json": .*No space left on device/,
    );
    assert.deepEqual(await processesWith(folder), []);
    assert.ok(!await isThere(folder));
    assert.ok(!await isThere(join(tmpdir(), shortFolderName(folder))));
    await Deno.remove(join(script, ".."), { recursive: true });
  },
);

testIf(
  chromium ? undefined : "no Chrome or Chromium on this machine",
  "start() of a session whose orphans are being swept returns a browser that continues to run",
  async () => {
    await using test = await scene();
    const folder = test.folderOf("s");
    for (let round = 0; round < 3; round++) {
      await Deno.mkdir(join(folder, "profile"), { recursive: true });
      const left = startIdle(`--user-data-dir=${folder}/profile`);
      const end = once(left, "exit");
      const held = new Set<string>();
      const sweeping = test.host.sweep(held);
      held.add("s");
      const starting = test.host.start(browserSpec(), "s", NEVER);
      await sweeping;
      const browser = await starting;
      await end;
      const answer = await fetch(
        `http://${browser.endpoint.host}/json/version`,
      );
      assert.equal(answer.status, 200);
      await answer.body?.cancel();
      await browser.stop(1_000);
      assert.ok(!await isThere(folder));
    }
  },
);

Deno.test.afterAll(async () => {
  if (disk === undefined) return;
  await run("umount", disk);
  await Deno.remove(disk);
});
