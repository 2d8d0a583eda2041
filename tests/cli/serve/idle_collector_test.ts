import assert from "node:assert/strict";
import { IdleHeap } from "../../../src/cli/serve/idle_collector.ts";

/** Returns the decision for each reading of total and used megabytes, one after the other. */
function decide(
  heap: IdleHeap,
  readings: readonly (readonly [total: number, used: number])[],
): readonly boolean[] {
  return readings.map((reading) => heap.shouldCollect(toBytes(reading)));
}

function collectedHeap(): IdleHeap {
  const heap = new IdleHeap();
  heap.recordCollected(toBytes([24, 22]));
  return heap;
}

function toBytes([total, used]: readonly [number, number]) {
  return { heapTotal: total * 2 ** 20, heapUsed: used * 2 ** 20 };
}

Deno.test("shouldCollect() is true in the first idle second after the start", () => {
  const decisions = decide(new IdleHeap(), [[42, 30], [42, 33], [42, 33.1]]);
  assert.deepEqual(decisions, [false, false, true]);
});

Deno.test("shouldCollect() is false while requests allocate or the engine collects", () => {
  const readings = [[80, 60], [100, 90], [100, 70], [100, 70.1]] as const;
  const decisions = decide(collectedHeap(), readings);
  assert.deepEqual(decisions, [false, false, false, true]);
});

Deno.test("shouldCollect() is false for an idle heap that has not grown since the last collection", () => {
  const readings = [[30, 22.1], [39, 22.2], [40, 22.3]] as const;
  const decisions = decide(collectedHeap(), readings);
  assert.deepEqual(decisions, [false, false, true]);
});

Deno.test("shouldCollect() leaves a large heap to the engine", () => {
  const decisions = decide(collectedHeap(), [[128, 100], [128, 100]]);
  assert.deepEqual(decisions, [false, false]);
});
