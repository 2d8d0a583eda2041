import assert from "node:assert/strict";
import { createClient, type EventWire } from "../../src/client/client.ts";
import { testGrid } from "../support/grid.ts";
import { keyedGrid } from "../support/keys.ts";
import { record } from "../apps/events/scene.ts";

/** Start of a response: clients reconnect after 2 to 4 ms. */
const HEAD = "retry: 4\nid: 5\n\n";

function renderFrame(sequence: number): string {
  return `id: ${sequence}\nevent: pool.updated\ndata: {"sequence":${sequence},"type":"pool.updated"}\n\n`;
}

/** The end of a response after its text. */
type End = "closed" | "lost" | "open";

function respond(text: string, end: End): Response {
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      const bytes = new TextEncoder().encode(text);
      // Parts of 7 bytes divide lines and messages anywhere.
      for (let at = 0; at < bytes.length; at += 7) {
        controller.enqueue(bytes.slice(at, at + 7));
      }
      if (end === "closed") controller.close();
    },
    pull(controller) {
      if (end === "lost") controller.error(new TypeError("connection reset"));
    },
  });
  return new Response(body, {
    headers: { "content-type": "text/event-stream" },
  });
}

function respondProblem(status: number, code: string): Response {
  return Response.json({ code, detail: `Cannot: ${code}` }, { status });
}

/** A client whose requests get the responses in turn, then one that stays open. */
function createScriptedClient(...responses: readonly (Response | TypeError)[]) {
  const asked: (string | null)[] = [];
  const waiting = [...responses];
  const client = createClient({
    apiUrl: "http://grid",
    fetch: (_, init) => {
      asked.push(new Headers(init?.headers).get("last-event-id"));
      const next = waiting.shift() ?? respond(HEAD, "open");
      return next instanceof Error
        ? Promise.reject(next)
        : Promise.resolve(next);
    },
  });
  return { client, asked };
}

async function take(
  events: AsyncGenerator<EventWire>,
  count: number,
): Promise<readonly number[]> {
  const seen = [];
  while (seen.length < count) {
    const { value, done } = await events.next();
    assert.ok(!done, `ended after ${seen.length}`);
    seen.push(value.sequence);
  }
  return seen;
}

Deno.test("streamEvents() continues after the last event when a connection ends in any way", async () => {
  const { client, asked } = createScriptedClient(
    respond(HEAD, "lost"),
    respond(`${HEAD}:\n\n${renderFrame(7)}${renderFrame(9)}`, "lost"),
    new TypeError("connection refused"),
    respondProblem(503, "server_stopping"),
    respondProblem(429, "too_many_event_streams"),
    respond(`${renderFrame(10)}event: end\ndata: {"reason":"x"}\n\n`, "open"),
    respond(renderFrame(11), "closed"),
    respond('event: error\ndata: {"code":"a","detail":"b"}\n\n', "closed"),
    respond(renderFrame(12).replaceAll("\n", "\r\n"), "open"),
  );
  const seen: string[] = [];
  const events = client.streamEvents({}, {
    onLost: ({ code }) => seen.push(code),
    onReconnect: () => seen.push("again"),
  });
  assert.deepEqual(await take(events, 5), [7, 9, 10, 11, 12]);
  await events.return();
  assert.deepEqual(asked, [
    null,
    ...["5", "9", "9", "9", "9", "10", "11", "11"],
  ]);
  assert.deepEqual(seen, [
    ...["unreachable", "again"],
    ...["unreachable", "again"],
    ...["a", "again"],
  ]);
});

Deno.test("streamEvents() throws what another attempt would not change, and any failure of the first one", async () => {
  const rejected = createScriptedClient(
    respond(HEAD + renderFrame(6), "lost"),
    respondProblem(401, "unauthorized"),
  ).client.streamEvents();
  assert.deepEqual(await take(rejected, 1), [6]);
  await assert.rejects(rejected.next(), { code: "unauthorized", status: 401 });
  for (
    const [first, code] of [
      [new TypeError("connection refused"), "unreachable"],
      [respondProblem(503, "server_stopping"), "server_stopping"],
      [Response.json({}), "unreadable"],
      [respond("data: {\n\n", "open"), "unreadable"],
      [respond(`${HEAD}data: {\n\n`, "open"), "unreadable"],
    ] as const
  ) {
    const { client, asked } = createScriptedClient(first);
    await assert.rejects(client.streamEvents().next(), { code });
    assert.equal(asked.length, 1);
  }
});

Deno.test("streamEvents() ends with its signal while it waits for an event, a response or its next attempt", async () => {
  await using grid = await testGrid({ listen: true });
  const client = createClient({ apiUrl: grid.url });
  const stop = new AbortController();
  const events = client.streamEvents({ last_event_id: 0 }, {
    signal: stop.signal,
  });
  await record(grid, {});
  assert.equal((await take(events, 1)).length, 1);
  const next = events.next();
  stop.abort();
  assert.deepEqual(await next, { value: undefined, done: true });
  assert.ok(
    (await client.streamEvents({}, { signal: stop.signal }).next()).done,
  );

  const pausing = new AbortController();
  const { client: other } = createScriptedClient(
    respond("retry: 900000000\n\n", "lost"),
  );
  const stopped = other.streamEvents({}, {
    signal: pausing.signal,
    onLost: () => queueMicrotask(() => pausing.abort()),
  });
  assert.ok((await stopped.next()).done);

  const silent = createClient({
    apiUrl: "http://grid",
    fetch: (_, init) =>
      new Promise((_, reject) => {
        init?.signal?.addEventListener("abort", () =>
          reject(init.signal?.reason));
      }),
  });
  await assert.rejects(silent.streamEvents({}, { timeoutMs: 20 }).next(), {
    code: "timeout",
  });
});

Deno.test("listEvents() and streamEvents() return the same events, those that the query selects", async () => {
  await using grid = await keyedGrid({ listen: true });
  await grid.admin.pool();
  const { key } = await grid.key();
  const client = createClient({ apiUrl: grid.url, apiKey: key });
  const query = { type: "session.*", label: "team=a" };
  await using events = client.streamEvents({ ...query, last_event_id: 0 });
  const { id } = await grid.as(key).session({ labels: { team: "a" } });
  await grid.as(key).session();
  await client.stopSession(id);
  const seen = await take(events, 3);
  const { items } = await client.listEvents(query);
  assert.deepEqual(items.map(({ sequence }) => sequence), seen);
  assert.deepEqual(items.map((each) => each.session_id), [id, id, id]);
});
