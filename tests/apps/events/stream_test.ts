import assert from "node:assert/strict";
import type { EventWire } from "../../../src/apps/events/schemas.ts";
import { assertRefused, createApiClient } from "../../support/api.ts";
import { createFakeClock } from "../../support/clock.ts";
import { eventually } from "../../support/eventually.ts";
import { type TestGrid, testGrid } from "../../support/grid.ts";
import { keyedGrid } from "../../support/keys.ts";
import { logRecords } from "../../support/log_records.ts";
import { record } from "./scene.ts";
import {
  readStream,
  type StreamClient,
  type StreamMessage,
} from "./stream_client.ts";

async function open(
  grid: TestGrid,
  query = "",
  headers: Readonly<Record<string, string>> = {},
): Promise<StreamClient> {
  return readStream(
    await grid.request(`/v1/events/stream?${query}`, { headers }),
  );
}

/** Returns the number of open streams, by the option that limits them to one. */
async function countStreams(grid: TestGrid): Promise<number> {
  const response = await grid.request("/v1/events/stream");
  await response.body?.cancel();
  return response.status === 429 ? 1 : 0;
}

function toSequences(events: readonly EventWire[]): readonly number[] {
  return events.map(({ sequence }) => sequence);
}

Deno.test("a stream contains each event that matches, with its sequence and type, from its opening on", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  await api.call("DELETE", `/sessions/${(await api.session()).id}`);
  await using all = await open(grid);
  await using labelled = await open(grid, "label=team%3Da");
  const { workerId, claimed } = await api.running({ labels: { team: "a" } });
  await using one = await open(grid, `session_id=${claimed.id}&type=session.*`);
  await using ofWorker = await open(grid, `worker_id=${workerId}`);
  await api.call("DELETE", `/workerpool/pools/pool`);
  await api.call("PATCH", `/workerpool/pools/pool`, { priority: 1 });
  await api.report(workerId, claimed, "completed");
  const life = [
    "session.created",
    "session.assigned",
    "session.starting",
    "session.running",
    "session.completed",
  ];
  const types = (events: readonly EventWire[]) =>
    events.map(({ type }) => type);
  assert.deepEqual(types(await labelled.take(5)), life);
  assert.deepEqual(types(await one.take(1)), life.slice(4));
  assert.deepEqual(types(await ofWorker.take(1)), life.slice(4));
  const seen = await all.take(7);
  assert.deepEqual(types(seen).filter((type) => life.includes(type)), life);
  const { body } = await api.call("GET", "/events?order=desc&limit=1");
  assert.deepEqual(seen.at(-1), body.items[0]);
});

Deno.test("a stream resumes after Last-Event-ID of the header or the query, and since begins at a time", async () => {
  await using grid = await testGrid();
  await record(grid, { timestamp: 1_000_000 }, 700);
  await record(grid, { timestamp: 2_000_000 }, 700);
  const { body } = await createApiClient(grid).call(
    "GET",
    "/events?limit=1000",
  );
  const sequences = toSequences(body.items);
  const id = String(sequences[300]);
  const starts: readonly (readonly [string, Record<string, string>])[] = [
    ["", { "last-event-id": id }],
    [`last_event_id=${id}`, {}],
    ["last_event_id=0", { "last-event-id": id }],
  ];
  for (const [query, headers] of starts) {
    await using stream = await open(grid, query, headers);
    assert.deepEqual(
      toSequences(await stream.take(500)),
      sequences.slice(301, 801),
    );
  }
  await using stream = await open(
    grid,
    `since=${new Date(2_000_000).toJSON()}`,
  );
  assert.deepEqual(
    toSequences(await stream.take(300)),
    sequences.slice(700, 1_000),
  );
});

Deno.test("a client key streams the events of its own sessions only, a worker key none", async () => {
  await using grid = await keyedGrid();
  await grid.admin.pool();
  const { key } = await grid.key();
  await using stream = await open(grid, "", { "x-api-key": key });
  await (await grid.asNew()).session();
  await grid.admin.worker();
  const { id } = await grid.as(key).session();
  const seen = await stream.take(2);
  assert.deepEqual(seen.map((event) => event.session_id), [id, id]);
  const worker = await grid.asNew({ role: "worker" });
  assertRefused(await worker.call("GET", "/events/stream"), {
    status: 403,
    code: "forbidden",
  });
});

for (const fault of ["revoked", "past its expiry"]) {
  Deno.test(`a stream ends soon after its key is ${fault}, and those of other keys go on`, async () => {
    const clock = createFakeClock();
    await using grid = await keyedGrid({ clock });
    await grid.admin.pool();
    const expiry = new Date(clock.now() + 30_000).toJSON();
    const { id, key } = await grid.key(
      fault !== "revoked" ? { expires_at: expiry } : {},
    );
    const other = (await grid.key()).key;
    await using stream = await open(grid, "", { "x-api-key": key });
    await using others = await open(grid, "", { "x-api-key": other });
    let seen: readonly EventWire[] | undefined;
    const taken = others.take(1).then((events) => seen = events);
    let end: StreamMessage | undefined;
    const next = stream.next().then((message) => end = message);
    clock.advance(11_000);
    assert.equal(end, undefined);
    if (fault === "revoked") await grid.admin.call("DELETE", `/keys/${id}`);
    let seconds = 0;
    await eventually("the end of the stream", () => {
      clock.advance(1_000);
      if (end === undefined) seconds++;
      return Promise.resolve(end !== undefined);
    });
    assert.ok(seconds <= (fault === "revoked" ? 20 : 40), `${seconds} s`);
    const last = await next;
    assert.equal(last?.event, "end");
    assert.match(last?.data ?? "", /key is no longer valid/);
    const session = await grid.as(other).session();
    // A stream that misses the signal of an event reads it after a time.
    await eventually("the event of the other stream", () => {
      clock.advance(1_000);
      return Promise.resolve(seen !== undefined);
    });
    assert.equal((await taken)[0]?.session_id, session.id);
  });
}

Deno.test("a key may open so many streams, and one more after one has ended", async () => {
  await using grid = await keyedGrid({
    settings: {
      app_options: { events: { max_streams: 3, max_streams_per_key: 2 } },
    },
  });
  const headers = { "x-api-key": (await grid.key()).key };
  const other = await grid.asNew();
  await using _first = await open(grid, "", headers);
  const second = await open(grid, "", headers);
  const api = grid.as(headers["x-api-key"]);
  const refused = { status: 429, code: "too_many_event_streams" };
  const answer = await api.call("GET", "/events/stream");
  assertRefused(answer, refused);
  assert.equal(answer.headers.get("retry-after"), "10");
  await second[Symbol.asyncDispose]();
  await using _third = await open(grid, "", headers);
  const { key } = await grid.key();
  await using _fourth = await open(grid, "", { "x-api-key": key });
  assertRefused(await other.call("GET", "/events/stream"), refused);
});

Deno.test("streams end in good order when the server stops", async () => {
  await using grid = await testGrid({ listen: true });
  const streams = await Promise.all(
    [1, 2, 3].map(async () =>
      readStream(await fetch(`${grid.url}/v1/events/stream`))
    ),
  );
  await record(grid, {}, 1);
  for (const stream of streams) await stream.take(1);
  const began = performance.now();
  const stopped = grid[Symbol.asyncDispose]();
  for (const stream of streams) {
    assert.deepEqual(await stream.next(), {
      event: "end",
      data: '{"reason":"the server stops"}',
    });
    assert.equal(await stream.next(), undefined);
    await stream[Symbol.asyncDispose]();
  }
  await stopped;
  assert.ok(performance.now() - began < 2_000);
});

Deno.test("a stream without events gets a comment after 15 s, and ends after an hour", async () => {
  const clock = createFakeClock();
  await using grid = await testGrid({ clock });
  const response = await grid.request("/v1/events/stream");
  assert.ok(response.body);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  assert.match((await reader.read()).value ?? "", /^retry: \d+\nid: 0\n\n$/);
  let seconds = 0;
  let comment: string | undefined;
  const next = reader.read().then(({ value }) => comment = value);
  await eventually("a comment", () => {
    if (comment === undefined) seconds++;
    clock.advance(1_000);
    return Promise.resolve(comment !== undefined);
  });
  assert.equal(await next, ":\n\n");
  assert.ok(seconds >= 15 && seconds <= 18, `${seconds} s`);
  clock.advance(3_600_000);
  let rest = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    rest += part.value;
  }
  assert.match(rest, /event: end\ndata: .*maximum age.*\n\n$/);
});

Deno.test("a client that reads nothing is dropped with a reason, and its connection is closed", async () => {
  await using logs = await logRecords();
  const clock = createFakeClock();
  await using grid = await testGrid({ clock });
  let isClosed = false;
  const request = () =>
    grid.router.request("/v1/events/stream", {}, {
      incoming: { socket: { destroy: () => void (isClosed = true) } },
    });
  await using late = readStream(await request());
  await using silent = readStream(await request());
  await record(grid, { data: { text: "x".repeat(1_000) } }, 20_000);
  for (let at = 0; at < 31; at++) {
    clock.advance(1_000);
    await new Promise((resolve) => setTimeout(resolve));
  }
  const dropped = logs.records.filter(({ rawMessage }) =>
    /^Event stream of {caller} dropped/.test(String(rawMessage))
  );
  assert.equal(dropped.length, 2);
  const message = await late.next();
  assert.equal(message?.event, "error");
  assert.match(message?.data ?? "", /"event_stream_stalled"/);
  assert.equal(await late.next(), undefined);
  assert.ok(!isClosed);
  for (let at = 0; at < 6; at++) {
    clock.advance(1_000);
    await new Promise((resolve) => setTimeout(resolve));
  }
  assert.ok(isClosed);
  void silent;
});

Deno.test("the connection of a client that reads nothing is closed, and its memory is limited", async () => {
  const clock = createFakeClock();
  await using grid = await testGrid({
    clock,
    listen: true,
    settings: { app_options: { events: { max_streams: 1 } } },
  });
  const { hostname, port } = new URL(grid.url);
  using silent = await Deno.connect({ hostname, port: Number(port) });
  await silent.write(
    new TextEncoder().encode(
      `GET /v1/events/stream HTTP/1.1\r\nHost: ${hostname}:${port}\r\n\r\n`,
    ),
  );
  await silent.read(new Uint8Array(1_024));
  for (let at = 0; at < 20; at++) {
    await record(grid, { data: { text: "x".repeat(50_000) } }, 50);
  }
  await eventually("the client is dropped", async () => {
    clock.advance(1_000);
    return await countStreams(grid) === 0;
  });
  let bytes = 0;
  const buffer = new Uint8Array(1_048_576);
  // The reset of the connection is an end, too.
  const read = () => silent.read(buffer).catch(() => null);
  for (let count = await read(); count !== null; count = await read()) {
    bytes += count;
  }
  assert.ok(bytes < 40_000_000, `${bytes} bytes`);
});

Deno.test("many subscribers receive every event once and in order, also those that read late", async () => {
  await using grid = await testGrid();
  await using stack = new AsyncDisposableStack();
  const streams: StreamClient[] = [];
  for (let at = 0; at < 50; at++) {
    streams.push(stack.use(await open(grid, "last_event_id=0")));
  }
  // More than wait for a subscriber in memory.
  const total = 1_500;
  const read = async (stream: StreamClient) =>
    toSequences(await stream.take(total));
  const early = streams.slice(0, 40).map(read);
  for (let at = 0; at < 15; at++) await record(grid, {}, total / 15);
  const seen = await Promise.all(early);
  const late = await Promise.all(streams.slice(40).map(read));
  const expected = Array.from({ length: total }, (_, at) => at + 1);
  for (const each of [...seen, ...late]) assert.deepEqual(each, expected);
});
