import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { BrowserHost } from "../../../src/core/provider.ts";
import { readStartTime } from "../../../src/providers/local/process/process_identity.ts";
import { local } from "../../../src/providers/local/provider.ts";
import {
  type BrowserRecord,
  readRecord,
  writeRecord,
} from "../../../src/providers/local/record.ts";
import { browserSpec } from "../../support/browser_spec.ts";

const ENDPOINT = "ws://127.0.0.1:1/devtools/browser/1";

/** A worker's host, and a process that an earlier process may have left. Disposal ends both. */
interface Scene extends AsyncDisposable {
  readonly host: BrowserHost;
  readonly folder: string;
  readonly child: ChildProcess;
  /** Resolves with the signal that ended the process. */
  readonly exited: Promise<unknown[]>;
  /** Writes a record of the process for the session `s`. */
  leave(overrides?: Partial<BrowserRecord>): Promise<void>;
}

async function scene(): Promise<Scene> {
  const dataDir = await Deno.makeTempDir();
  const owner = { gridId: "grid-1", workerId: "worker-1" };
  const host = await local.open(local.configSchema.parse({}), {
    ...owner,
    dataDir,
  });
  const folder = join(dataDir, "local", owner.gridId, owner.workerId, "s");
  await Deno.mkdir(folder, { recursive: true });
  const child = spawn("sleep", ["300"], { detached: true, stdio: "ignore" });
  const exited = once(child, "exit");
  const pid = child.pid ?? 0;
  const start_mark = await readStartTime(pid) ?? "";
  return {
    host,
    folder,
    child,
    exited,
    leave: (overrides = {}) =>
      writeRecord(folder, {
        session_id: "s",
        grid_id: owner.gridId,
        pid,
        start_mark,
        endpoint: ENDPOINT,
        companions: [],
        has_forwarder: false,
        executable: "/usr/bin/sleep",
        ...overrides,
      }),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exited;
      await host[Symbol.asyncDispose]();
      await Deno.remove(dataDir, { recursive: true });
    },
  };
}

async function lives({ child }: Scene): Promise<boolean> {
  return await readStartTime(child.pid ?? 0) !== undefined;
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

Deno.test("sweep() and adopt() do not touch a process with a recorded id and another start time", async () => {
  await using test = await scene();
  await test.leave({ start_mark: "1" });
  assert.deepEqual(await test.host.adopt(), []);
  assert.deepEqual(await test.host.sweep(new Set()), ["s"]);
  assert.ok(await lives(test));
  assert.ok(!await isThere(test.folder));
});

Deno.test("stop() of an adopted browser that has died removes its folder", async () => {
  await using test = await scene();
  await test.leave();
  const [browser] = await test.host.adopt();
  assert.ok(browser);
  test.child.kill("SIGKILL");
  assert.deepEqual(await browser.exited, {
    reason: "crashed",
    detail: "its process has ended",
  });
  await browser.stop(1_000);
  assert.ok(!await isThere(test.folder));
});

Deno.test("sweep() ends the recorded browser and its companions, and removes the folder", async () => {
  await using test = await scene();
  const display = spawn("sleep", ["300"], { detached: true, stdio: "ignore" });
  const ended = once(display, "exit");
  const pid = display.pid ?? 0;
  const start_mark = await readStartTime(pid) ?? "";
  await test.leave({ companions: [{ pid, start_mark }] });
  assert.deepEqual(await test.host.sweep(new Set(["s"])), []);
  assert.ok(await lives(test));
  assert.deepEqual(await test.host.sweep(new Set()), ["s"]);
  assert.deepEqual(await test.exited, [null, "SIGKILL"]);
  assert.deepEqual(await ended, [null, "SIGKILL"]);
  assert.ok(!await isThere(test.folder));
});

Deno.test("sweep() ends a browser that was still starting, and adopt() does not return it", async () => {
  await using test = await scene();
  await test.leave();
  const { endpoint: _, ...record } = await readRecord(test.folder) ??
    assert.fail("no record");
  await writeRecord(test.folder, record);
  assert.deepEqual(await test.host.adopt(), []);
  assert.deepEqual(await test.host.sweep(new Set()), ["s"]);
  assert.deepEqual(await test.exited, [null, "SIGKILL"]);
});

Deno.test("adopt() does not return a browser whose forwarder has ended", async () => {
  await using test = await scene();
  await test.leave({ has_forwarder: true });
  assert.deepEqual(await test.host.adopt(), []);
});

Deno.test("start() ends the session's browser of an earlier process", async () => {
  await using test = await scene();
  await test.leave();
  const config = local.configSchema.parse({ executable_path: "/bin/false" });
  const host = await local.open(config, {
    gridId: "grid-1",
    workerId: "worker-1",
    dataDir: join(test.folder, "../../../.."),
  });
  await assert.rejects(
    host.start(browserSpec(), "s", new AbortController().signal),
    /exit code 1/,
  );
  assert.deepEqual(await test.exited, [null, "SIGKILL"]);
});

Deno.test("stop() of an adopted browser works after its host is closed", async () => {
  await using test = await scene();
  await test.leave();
  const [browser] = await test.host.adopt();
  await test.host[Symbol.asyncDispose]();
  await browser?.stop(1_000);
  assert.deepEqual(await test.exited, [null, "SIGTERM"]);
  assert.equal((await browser?.exited)?.reason, "stopped");
});

Deno.test("readRecord() returns undefined for an invalid record", async () => {
  await using test = await scene();
  assert.equal(await readRecord(test.folder), undefined);
  for (const text of ["", "{", "{}", '{"pid":1}']) {
    await Deno.writeTextFile(join(test.folder, "browser.json"), text);
    assert.equal(await readRecord(test.folder), undefined);
  }
});

Deno.test("writeRecord() creates a file that no other user can read", async () => {
  await using test = await scene();
  await test.leave();
  const { mode } = await Deno.stat(join(test.folder, "browser.json"));
  assert.equal((mode ?? 0) & 0o777, 0o600);
  assert.equal((await readRecord(test.folder))?.endpoint, ENDPOINT);
});
