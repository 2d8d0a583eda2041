import assert from "node:assert/strict";
import type { SessionWire } from "../../src/apps/sessions/schemas.ts";
import {
  isTerminal,
  SESSION_STATUSES,
} from "../../src/apps/sessions/status.ts";
import { ApiError } from "../../src/client/api_error.ts";
import type { GridClient } from "../../src/client/client.ts";
import { systemClock } from "../../src/async/clock.ts";
import { type ChaosGrid, signal, waitForExit } from "./chaos_grid.ts";
import { eventually, gone } from "./eventually.ts";
import { assertHistories } from "./histories.ts";
import type { Trace } from "./traces.ts";

/** Maximum time for which anything may outlive its session after the last outage. */
export const CLEAN_MS = 30_000;

/** Longest page of a list. */
const PAGE = 500;

/** Sessions that have not ended. */
export async function liveSessions(
  client: GridClient,
): Promise<readonly SessionWire[]> {
  const { items } = await client.listSessions({
    status: SESSION_STATUSES.filter((each) => !isTerminal(each)).join(","),
    limit: PAGE,
  });
  return items;
}

/** Returns traces of browsers whose session has ended, is queued, or is unknown. */
export async function strays(grid: ChaosGrid): Promise<readonly string[]> {
  // Traces first: what is seen after its session has ended is a leftover, not the other way round.
  const traces = await grid.traces();
  const dead = new Map<string, boolean>();
  for (const { sessionId } of traces) {
    if (sessionId === undefined || dead.has(sessionId)) continue;
    dead.set(sessionId, await hasNoBrowser(grid.client, sessionId));
  }
  return traces.filter(({ sessionId }) => sessionId && dead.get(sessionId))
    .map(({ text }) => text);
}

/** Resolves when nothing is left of sessions that are over. @returns How long that took, in ms. */
export async function cleanAgain(grid: ChaosGrid): Promise<number> {
  const startedAt = systemClock.monotonic();
  await gone("browser of a session that is over", () => strays(grid), {
    withinMs: CLEAN_MS,
  });
  return systemClock.monotonic() - startedAt;
}

/** Workers that hold more sessions than their capacity. */
export async function overfull(grid: ChaosGrid): Promise<readonly string[]> {
  const { items } = await grid.client.listSessions({
    status: "starting,running",
    limit: PAGE,
  });
  return grid.workers.flatMap(({ id, name, options: { capacity = 2 } }) => {
    const held = items.filter(({ worker_id }) => worker_id === id).length;
    return held > capacity ? [`${name} holds ${held} of ${capacity}`] : [];
  });
}

/**
 * The end of every test: ends all sessions and asserts that within 30 s none is live and no trace of a browser is left
 * on the machine; that the histories of all `accepted` sessions are valid; and that the workers end in order on
 * request.
 */
export async function assertCleanEnd(
  grid: ChaosGrid,
  accepted: Iterable<string>,
): Promise<void> {
  const { client } = grid;
  await eventually("every session ends", async () => {
    const live = await liveSessions(client);
    for (const { id } of live) await client.stopSession(id);
    return live.length === 0;
  }, { withinMs: CLEAN_MS });
  await gone("trace of a browser", async () => readTexts(await grid.traces()), {
    withinMs: CLEAN_MS,
  });
  await assertHistories(client, accepted);
  for (const { process } of grid.workers) {
    signal(process, "SIGTERM");
    assert.equal(await waitForExit(process), 0, process.output());
  }
  assert.deepEqual(readTexts(await grid.traces()), []);
}

function readTexts(traces: readonly Trace[]): readonly string[] {
  return traces.map(({ text }) => text);
}

async function hasNoBrowser(client: GridClient, id: string): Promise<boolean> {
  try {
    const { status } = await client.getSession(id);
    return isTerminal(status) || status === "pending";
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return true;
    throw error;
  }
}
