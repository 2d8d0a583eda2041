import assert from "node:assert/strict";
import type { GridClient } from "../../src/client/client.ts";
import { type ChaosGrid, chaosGrid } from "../support/chaos_grid.ts";
import { endEngine, engineTest } from "../support/docker_engine.ts";
import { eventually } from "../support/eventually.ts";
import { assertCleanEnd, cleanAgain } from "../support/settle.ts";

const POOL = "containers";

for (const signal of ["SIGTERM", "SIGKILL"] as const) {
  engineTest(
    `while the Docker engine is down after ${signal} its worker is failed and claims nothing; sessions are reported correctly, and it serves again without intervention`,
    async () => {
      await using grid = await chaosGrid({
        pools: [{ name: POOL, provider_type: "docker" }],
      });
      const { client } = grid;
      const worker = await grid.startWorker({ pool: POOL });
      const ran = await createSession(client);
      assert.equal(ran.status, "running");

      await using engine = await endEngine(signal);
      await eventually("the worker is failed", async () => {
        return (await client.getWorker(worker.id)).status === "failed";
      });
      const waiting = await client.createSession({ work_pool_id: POOL });

      await engine.start();
      await eventually("the worker has recovered", async () => {
        return (await client.getWorker(worker.id)).status === "online";
      });
      await eventually("what waited runs", async () => {
        return (await client.getSession(waiting.id)).status === "running";
      }, { withinMs: 60_000 });
      await eventually(
        "the running session is reported correctly",
        async () => {
          return await isTruth(grid, ran.id);
        },
      );
      await cleanAgain(grid);
      const next = await createSession(client);
      assert.equal(next.status, "running");
      await assertCleanEnd(grid, [ran.id, waiting.id, next.id]);
    },
  );
}

function createSession(client: GridClient) {
  return client.createSession({ work_pool_id: POOL }, { waitSeconds: 60 });
}

/**
 * Running with its container, or crashed with a reason and without one; also when the engine has ended it in good
 * order.
 */
async function isTruth(grid: ChaosGrid, id: string): Promise<boolean> {
  const { status, status_reason } = await grid.client.getSession(id);
  const traces = (await grid.traces()).filter(({ sessionId }) =>
    sessionId === id
  );
  const texts = traces.map(({ text }) => text).join();
  if (status === "running" && texts.includes("(running)")) return true;
  if (status === "crashed" && status_reason && texts === "") return true;
  throw new Error(`it is ${status} (${status_reason}), and there is: ${texts}`);
}
