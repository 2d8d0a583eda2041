import assert from "node:assert/strict";
import { systemClock } from "../../src/async/clock.ts";
import { createApiClient } from "../support/api.ts";
import { twoReplicas } from "./scene.ts";

/** As far as a database in another region. */
const LATENCY_MS = 100;

/** Shortest of three: what else the machine does only adds. */
async function measureDuration(act: () => Promise<unknown>): Promise<number> {
  const durations: number[] = [];
  for (let time = 0; time < 3; time++) {
    const startedAt = systemClock.monotonic();
    await act();
    durations.push(systemClock.monotonic() - startedAt);
  }
  return Math.min(...durations);
}

Deno.test("with a distant database a request takes as long as its own round trips", async () => {
  await using s = await twoReplicas();
  const api = createApiClient(s.here);
  await api.pool();
  const { id } = await api.session();
  s.database.delay(LATENCY_MS);
  const one = await measureDuration(() => api.call("GET", `/sessions/${id}`));
  const two = await measureDuration(() => api.session());
  const many = await measureDuration(() =>
    Promise.all(
      Array.from({ length: 10 }, () => api.call("GET", `/sessions/${id}`)),
    )
  );
  s.database.delay(0);
  const shown = [one, two, many].map(Math.round).join(" ");
  // Timers may be a millisecond early.
  assert.ok(one >= LATENCY_MS - 2 && two >= 2 * (LATENCY_MS - 2), shown);
  // On a machine that has other work, what is not waiting may take as long again.
  assert.ok(one < 2 * LATENCY_MS && two < 4 * LATENCY_MS, shown);
  assert.ok(many < 5 * LATENCY_MS, shown);
});
