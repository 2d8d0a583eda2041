import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { ApiError } from "../../src/client/api_error.ts";
import { createClient, type GridClient } from "../../src/client/client.ts";
import { systemClock } from "../../src/async/clock.ts";
import { createApiClient } from "../support/api.ts";
import { type TestGrid, testGrid } from "../support/grid.ts";
import { gaugeMemory } from "../support/memory.ts";
import { startProgram } from "../support/program.ts";
import { askSession, askUpgrade } from "../support/raw_client.ts";

const ASKING = 1_000;
const CONNECTING = 500;

/** Number of concurrent clients: few enough that a slow machine rejects none. */
const BURST = 50;

/** Longest wait for what takes a second; far above it, so that only a fault ends it. */
const PATIENCE_MS = 120_000;

/** Maximum growth of the server's objects while they wait: 46 MB were measured, 33 kB a request and 17 kB a socket. */
const LIVE_MB = 90;

/** Maximum growth of its resident memory then: 190 MB were measured, most of it garbage that is not collected yet. */
const RESIDENT_MB = 450;

/** More than this its heap may not have: where it would need it, the server would end. */
const HEAP_LIMIT_MB = 192;

/** Maximum growth of objects and of resident memory after they have gone: 4 MB and 62 MB were measured. */
const LEFT_MB = 10;
const RESIDENT_LEFT_MB = 180;

/** Maximum growth of each further round: 0.2 MB were measured, 1 kB a client is a leak. */
const GROWTH_MB = 1;

/** Clients that wait for a browser: over HTTP and by WebSocket. */
async function crowd(client: GridClient): Promise<readonly Socket[]> {
  const url = client.apiUrl;
  const sockets: Socket[] = [];
  while (sockets.length < ASKING + CONNECTING) {
    const burst = Array.from(
      { length: BURST },
      (_, at) =>
        (sockets.length + at) % 3 === 2
          ? askUpgrade(`${url.replace("http", "ws")}/v1/connect`)
          : askSession(`${url}/v1/sessions?wait=300`),
    );
    sockets.push(...await Promise.all(burst));
    await untilPending(client, sockets.length);
  }
  return sockets;
}

/** Does as a server says that is too busy on a slow machine: it asks again. */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 503) throw error;
      await systemClock.sleep(500);
    }
  }
}

/** Resolves when exactly `count` sessions wait. */
async function untilPending(client: GridClient, count: number): Promise<void> {
  const deadline = systemClock.monotonic() + PATIENCE_MS;
  for (;;) {
    const { pending } = await patiently(() => client.getPoolPressure("pool"));
    if (pending === count) return;
    assert.ok(
      systemClock.monotonic() < deadline,
      `${pending} sessions wait, not ${count}`,
    );
    await systemClock.sleep(50);
  }
}

/** Ends every session that waits. */
async function endAll(client: GridClient): Promise<void> {
  for (;;) {
    const query = { status: "pending", limit: 100 };
    const { items } = await patiently(() => client.listSessions(query));
    if (items.length === 0) return;
    await Promise.all(
      items.map(({ id }) => patiently(() => client.stopSession(id))),
    );
  }
}

/** The longest and the middle of the times in which the server answered that it is there. */
async function healthTimes(
  url: string,
): Promise<{ readonly middle: number; readonly longest: number }> {
  const times: number[] = [];
  for (let count = 0; count < 20; count++) {
    const startedAt = systemClock.monotonic();
    const answer = await fetch(`${url}/health`);
    await answer.body?.cancel();
    assert.equal(answer.status, 200);
    times.push(systemClock.monotonic() - startedAt);
    await systemClock.sleep(50);
  }
  times.sort((a, b) => a - b);
  return { middle: times[10] ?? NaN, longest: times.at(-1) ?? NaN };
}

Deno.test(`a server that ${ASKING} requests and ${CONNECTING} sockets wait at keeps within its memory, answers others at once, and has it back when they go`, async () => {
  const dir = await Deno.makeTempDir({ prefix: "browsergrid-test-" });
  try {
    await using program = startProgram(
      ["serve", "--port", "0", "--data-dir", dir],
      {
        DENO_V8_FLAGS: `--max-old-space-size=${HEAP_LIMIT_MB}`,
        BROWSERGRID_LOG_LEVEL: "warning",
      },
      { inspect: true },
    );
    const [, url = ""] = await program.until(/API +(http:\S+)\/v1/);
    using memory = await gaugeMemory(program);
    const client = createClient({ apiUrl: url });
    await client.createPool({ name: "pool", provider_type: "local" });
    const before = {
      live: await memory.live(),
      resident: await memory.resident(),
    };
    const left: number[] = [];
    for (const round of ["first", "second"]) {
      const sockets = await crowd(client);
      const resident = await memory.resident() - before.resident;
      assert.ok(resident < RESIDENT_MB, `${round} time: ${resident} MB more`);
      const live = await memory.live() - before.live;
      assert.ok(live < LIVE_MB, `${round} time: ${live} MB more in use`);
      const { middle, longest } = await healthTimes(url);
      assert.ok(middle < 500, `${middle} ms`);
      assert.ok(longest < 5_000, `${longest} ms`);
      for (const socket of sockets) socket.destroy();
      // Those of /v1/connect go with their clients; those that were asked for stay, as they were asked for.
      await untilPending(client, ASKING);
      await endAll(client);
      left.push(await memory.live() - before.live);
    }
    const [first = NaN, second = NaN] = left;
    assert.ok(first < LEFT_MB, `${first} MB are left`);
    assert.ok(
      second - first < GROWTH_MB,
      `${first} MB are left, then ${second}`,
    );
    const resident = await memory.resident() - before.resident;
    assert.ok(resident < RESIDENT_LEFT_MB, `${resident} MB are kept`);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test(`${ASKING} requests that wait cost the database no more looks than one does`, async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const leave = new AbortController();
  const asked: Promise<unknown>[] = [];
  let made = 0;
  using _counting = grid.core.bus.subscribe(({ type }) => {
    if (type === "session_created") made++;
  });
  while (asked.length < ASKING) {
    for (let at = 0; at < BURST; at++) asked.push(wait(grid, leave.signal));
    while (made < asked.length) {
      const patience = AbortSignal.timeout(PATIENCE_MS);
      const next = await grid.core.bus.next(
        ({ type }) => type === "session_created",
        patience,
      );
      assert.ok(next, `${made} of ${asked.length} were made`);
    }
  }
  let before: number;
  do { // Each looks itself, once, when it was made.
    before = grid.core.db.trips();
    await systemClock.sleep(500);
  } while (grid.core.db.trips() - before > 2);
  before = grid.core.db.trips();
  await systemClock.sleep(5_000);
  const trips = grid.core.db.trips() - before;
  assert.ok(trips >= 1 && trips <= 8, `${trips} round trips in 5 s`);
  leave.abort();
  await Promise.allSettled(asked);
});

/** Asks for a session and waits for it, until `signal` is aborted. */
async function wait(grid: TestGrid, signal: AbortSignal): Promise<unknown> {
  return await grid.request("/v1/sessions?wait=300", {
    method: "POST",
    json: {},
    signal,
  });
}
