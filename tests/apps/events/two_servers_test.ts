import assert from "node:assert/strict";
import fc from "fast-check";
import type { EventWire } from "../../../src/apps/events/schemas.ts";
import { IS_REMOTE, type TestGrid, testGrid } from "../../support/grid.ts";
import { record } from "./scene.ts";
import { readStream, type StreamClient } from "./stream_client.ts";

async function open(grid: TestGrid, after: number): Promise<StreamClient> {
  return readStream(
    await grid.request(`/v1/events/stream?last_event_id=${after}`),
  );
}

/** Returns the sequences of all events in the database. */
async function readSequences({ core }: TestGrid): Promise<readonly number[]> {
  const { rows } = await core.db.client.execute(
    "SELECT sequence FROM events ORDER BY sequence",
  );
  return rows.map(({ sequence }) => Number(sequence));
}

/** Sizes of batches of events that two servers record concurrently, and after how many the reader resumes. */
const writes = fc.record({
  sizes: fc.array(fc.integer({ min: 1, max: 400 }), {
    minLength: 4,
    maxLength: 12,
  }),
  resumesAfter: fc.integer({ min: 1, max: 60 }),
});

Deno.test({
  name:
    "readers of two servers on one database receive every event in order and once, also when they resume while both write",
  ignore: IS_REMOTE,
  async fn() {
    await using one = await testGrid();
    await using two = await testGrid({ dataDir: one.dataDir });
    let last = 0;
    await fc.assert(
      fc.asyncProperty(writes, async ({ sizes, resumesAfter }) => {
        const total = sizes.reduce((sum, size) => sum + size, 0);
        const readAll = async (grid: TestGrid) => {
          const seen: EventWire[] = [];
          while (seen.length < total) {
            const after = seen.at(-1)?.sequence ?? last;
            await using stream = await open(grid, after);
            const rest = total - seen.length;
            // The last part is read to its end.
            const count = seen.length > total / 2
              ? rest
              : Math.min(rest, resumesAfter);
            seen.push(...await stream.take(count));
          }
          return seen.map(({ sequence }) => sequence);
        };
        const reading = [one, two, two].map(readAll);
        await Promise.all(
          sizes.map((size, at) => record(at % 2 === 0 ? one : two, {}, size)),
        );
        const seen = await Promise.all(reading);
        const recorded = (await readSequences(one)).filter((each) =>
          each > last
        );
        for (const each of seen) assert.deepEqual(each, recorded);
        last = recorded.at(-1) ?? last;
      }),
      { numRuns: 8, seed: 7, endOnFailure: true },
    );
  },
});

Deno.test({
  name: "an event of one server is streamed by another within about a second",
  ignore: IS_REMOTE,
  async fn() {
    await using one = await testGrid();
    await using two = await testGrid({ dataDir: one.dataDir });
    await using stream = await open(two, 0);
    for (let at = 0; at < 4; at++) {
      const began = performance.now();
      await record(one, {});
      await stream.take(1);
      const ms = performance.now() - began;
      assert.ok(ms < 1_300, `${ms} ms`);
    }
  },
});

Deno.test("a change of the same server is streamed at once", async () => {
  await using grid = await testGrid();
  await using stream = await open(grid, 0);
  for (let at = 0; at < 5; at++) {
    const began = performance.now();
    const name = `pool-${at}`;
    const json = { name, provider_type: "local" };
    await grid.request("/v1/workerpool/pools", { method: "POST", json });
    const [event] = await stream.take(1);
    assert.equal(event?.data["name"], name);
    const ms = performance.now() - began;
    assert.ok(ms < 400, `${ms} ms`);
  }
});
