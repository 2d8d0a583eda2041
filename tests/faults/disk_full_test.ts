import assert from "node:assert/strict";
import { join } from "node:path";
import { chaosGrid } from "../support/chaos_grid.ts";
import { eventually } from "../support/eventually.ts";
import { assertCleanEnd } from "../support/settle.ts";

/** A disk of its own, small enough to be filled in no time. Disposal takes it away. */
interface SmallDisk extends AsyncDisposable {
  readonly path: string;
  /** Leaves no byte free. */
  fill(): Promise<void>;
  free(): Promise<void>;
}

/** Mounting takes root, and a container that may. */
const missing = await whyNoDisk();
const name =
  "on a full disk a worker fails its sessions with the reason and leaves nothing, and it serves again as soon as there is space";

if (missing !== undefined) {
  // deno-lint-ignore no-console -- the reason of a skipped test is its result
  console.log(`skipped: ${name}: ${missing}`);
}

Deno.test({
  name,
  ignore: missing !== undefined,
  async fn() {
    await using disk = await smallDisk();
    await using grid = await chaosGrid();
    const { client } = grid;
    const worker = await grid.startWorker({ dataDir: join(disk.path, "w") });
    await disk.fill();
    const session = await client.createSession({});
    const { status_reason } = await eventually("it has failed", async () => {
      const found = await client.getSession(session.id);
      return found.status === "failed" ? found : undefined;
    });
    assert.match(status_reason ?? "", /[Nn]o space left|disk/);
    await eventually(
      "nothing is left",
      async () => (await grid.traces()).length === 0,
      { withinMs: 5_000 },
    );
    assert.equal((await client.getWorker(worker.id)).status, "online");
    await disk.free();
    const next = await client.createSession({}, { waitSeconds: 30 });
    assert.equal(next.worker_id, worker.id);
    await assertCleanEnd(grid, [session.id, next.id]);
  },
});

async function smallDisk(): Promise<SmallDisk> {
  const path = await Deno.makeTempDir({ prefix: "bgd-" });
  const { success, stderr } = await run("mount", [
    ...["-t", "tmpfs", "-o", "size=64m", "browsergrid-test", path],
  ]);
  if (!success) {
    await Deno.remove(path);
    throw new Error(stderr);
  }
  const filler = join(path, "filler");
  return {
    path,
    async fill() {
      using file = await Deno.open(filler, { create: true, append: true });
      for (let size = 1 << 20; size > 0; size = size >> 1) {
        while (await file.write(new Uint8Array(size)).catch(() => 0) === size);
      }
    },
    free: () => Deno.remove(filler),
    async [Symbol.asyncDispose]() {
      await run("umount", ["--lazy", path]);
      await Deno.remove(path);
    },
  };
}

async function whyNoDisk(): Promise<string | undefined> {
  try {
    await using _disk = await smallDisk();
  } catch (error) {
    return `no disk can be made here: ${String(error).trim()}`;
  }
}

async function run(command: string, args: readonly string[]) {
  const { success, stderr } = await new Deno.Command(command, {
    args: [...args],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  return { success, stderr: new TextDecoder().decode(stderr) };
}
