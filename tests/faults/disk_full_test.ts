import assert from "node:assert/strict";
import { join } from "node:path";
import { chaosGrid } from "../support/chaos_grid.ts";
import { eventually } from "../support/eventually.ts";
import { assertCleanEnd } from "../support/settle.ts";
import { diskTest, mountSmallDisk } from "../support/small_disk.ts";

/** Enough for a browser's profile. */
const SIZE = "64m";

await diskTest(
  "on a full disk a worker fails its sessions with the reason and leaves nothing, and it serves again as soon as there is space",
  async () => {
    await using disk = await mountSmallDisk(SIZE);
    await using grid = await chaosGrid();
    const { client } = grid;
    const worker = await grid.startWorker({ dataDir: join(disk.path, "w") });
    await disk.fill();
    const session = await client.createSession({});
    const { status_reason } = await eventually("it has failed", async () => {
      const found = await client.getSession(session.id);
      return found.status === "failed" ? found : undefined;
    });
    assert.match(status_reason ?? "", /no space left/i);
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
);
