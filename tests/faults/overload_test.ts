import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { systemClock } from "../../src/async/clock.ts";
import {
  askSession,
  askUpgrade,
  rawClient,
  readBytes,
} from "../support/raw_client.ts";
import { startUpstream } from "../support/upstream.ts";
import { type WorkerScene, workerScene } from "../support/worker.ts";

const CAPACITY = 4;
const CLIENTS = 300;

/** Response to a client. */
interface Told {
  readonly status: number;
  readonly retryAfter: string | null | undefined;
}

/** A scene whose browsers answer. */
async function scene(): Promise<WorkerScene> {
  await using stack = new AsyncDisposableStack();
  const upstream = stack.use(await startUpstream());
  const own = stack.use(await workerScene());
  own.provider.knobs.endpoint = new URL(upstream.endpoint);
  const owned = stack.move();
  return { ...own, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Retries as a busy server on a slow machine asks. */
async function persist<T extends { readonly status: number }>(
  ask: () => Promise<T>,
): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer.status !== 503) return answer;
    await systemClock.sleep(1_000);
  }
}

/** Requests until the server is not too busy, and leaves no body of a rejection unread. */
async function request(url: string, init: RequestInit): Promise<Response> {
  return await persist(async () => {
    const response = await fetch(url, init);
    if (response.status === 503) await response.body?.cancel();
    return response;
  });
}

/** Asks over HTTP, waits for the browser, and ends it. */
async function askAndWait({ grid }: WorkerScene): Promise<Told> {
  const answer = await request(`${grid.url}/v1/sessions?wait=300`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}",
  });
  const { id, status } = await answer.json();
  if (answer.status === 201) {
    assert.equal(status, "running");
    const ended = await request(`${grid.url}/v1/sessions/${id}`, {
      method: "DELETE",
    });
    await ended.body?.cancel();
  }
  return {
    status: answer.status,
    retryAfter: answer.headers.get("retry-after"),
  };
}

/** Connects to a browser of its own, says something, hears it back, and goes. */
async function connect({ grid }: WorkerScene): Promise<Told> {
  using client = await rawClient(connectUrl(grid.url), {}, hello);
  const status = Number(client.head.split(" ")[1]);
  if (status === 101) {
    const rest = await readBytes(
      client.socket,
      hello.length - client.rest.length,
    );
    assert.deepEqual(new Uint8Array([...client.rest, ...rest]), hello);
  }
  const [, retryAfter] = /retry-after: (\d+)/i.exec(client.head) ?? [];
  return { status, retryAfter };
}

const hello = new TextEncoder().encode("hello, browser");

function connectUrl(url: string): string {
  return `${url.replace("http", "ws")}/v1/connect`;
}

/** Every other one over HTTP, the others by WebSocket. */
function createClients(own: WorkerScene): readonly Promise<Told>[] {
  return Array.from(
    { length: CLIENTS },
    (_, at) => at % 2 ? persist(() => connect(own)) : askAndWait(own),
  );
}

async function column(
  { grid }: WorkerScene,
  query: string,
): Promise<readonly unknown[]> {
  const { rows } = await grid.core.db.client.execute(query);
  return rows.map((row) => row[0]);
}

/**
 * Asserts that all sessions ended in good order, none more than once, and were started in the order of their creation.
 */
async function assertServedInOrder(
  own: WorkerScene,
  count: number,
): Promise<void> {
  const started = await column(
    own,
    "SELECT session_id FROM events WHERE type = 'session.starting' ORDER BY sequence",
  );
  const created = await column(
    own,
    "SELECT session_id FROM events WHERE type = 'session.created' ORDER BY sequence",
  );
  assert.equal(created.length, count);
  assert.deepEqual(started, created);
  const statuses = await column(own, "SELECT status FROM sessions");
  assert.deepEqual(
    Map.groupBy(statuses, (status) => status).get("completed")?.length,
    count,
  );
  assert.ok(own.provider.mostAtOnce() <= CAPACITY);
  assert.equal(own.provider.running.size, 0);
}

/** Resolves when every session has ended. */
async function allEnded({ grid }: WorkerScene): Promise<void> {
  const patience = AbortSignal.timeout(20_000);
  for (;;) {
    const ended = grid.core.bus.next(
      ({ type }) => type === "session_completed",
      patience,
    );
    const { items } = await grid.sessions.list({
      limit: 1,
      status: ["pending", "starting", "running"],
    });
    if (items.length === 0) return;
    patience.throwIfAborted();
    await ended;
  }
}

Deno.test(`${CLIENTS} clients at once on capacity ${CAPACITY} are all served, in the order in which they were accepted`, async () => {
  await using own = await scene();
  await using _worker = await own.start({ capacity: CAPACITY });
  const told = await Promise.all(createClients(own));
  assert.deepEqual(
    told.map(({ status }) => status),
    told.map((_, at) => at % 2 ? 101 : 201),
  );
  await allEnded(own);
  await assertServedInOrder(own, CLIENTS);
});

Deno.test(`with max_queue 50, of ${CLIENTS} clients at once exactly 50 and those that ${CAPACITY} queue limit are accepted, the rest are asked to retry`, async () => {
  await using own = await scene();
  await own.grid.pools.patch("fakes", { max_queue: 50 });
  await using _worker = await own.start({ capacity: CAPACITY });
  const { promise: hold, resolve: release } = Promise.withResolvers<void>();
  own.provider.knobs.hold = hold;
  let refused = 0;
  const clients = createClients(own).map(async (client) => {
    const told = await client;
    // No place becomes free before all have asked.
    if (told.status === 429 && ++refused === CLIENTS - 54) release();
    return told;
  });
  const told = await Promise.all(clients);
  assert.equal(refused, CLIENTS - 54);
  for (const { status, retryAfter } of told) {
    if (status === 429) assert.ok(Number(retryAfter) > 0);
    else assert.ok(status === 201 || status === 101, String(status));
  }
  await allEnded(own);
  await assertServedInOrder(own, 54);
});

Deno.test("a waiting client that disconnects frees its place: by WebSocket at once, over HTTP when its session is ended", async () => {
  await using own = await scene();
  const { grid } = own;
  await grid.pools.patch("fakes", { max_queue: 2 });
  const [ephemeral, leaver] = await waiting(own, "ws");
  const [asked, client] = await waiting(own, "http");
  assert.equal((await connect(own)).status, 429);
  client.destroy();
  assert.equal((await connect(own)).status, 429, "it is kept, as asked");
  const freed = next(own, "session_terminated");
  leaver.destroy();
  assert.equal(await freed, ephemeral);
  const [, second] = await waiting(own, "ws");
  assert.equal((await connect(own)).status, 429);
  assert.equal((await grid.sessions.get(asked)).status, "pending");
  await grid.sessions.requestStop(asked, { status: "completed", reason: "" });
  const [, third] = await waiting(own, "http");
  assert.equal((await connect(own)).status, 429);
  second.destroy();
  third.destroy();
});

/** A client whose session waits: the session's id and the client's socket. */
async function waiting(
  own: WorkerScene,
  kind: "ws" | "http",
): Promise<readonly [string, Socket]> {
  const created = next(own, "session_created");
  const socket =
    await (kind === "ws"
      ? askUpgrade(connectUrl(own.grid.url))
      : askSession(`${own.grid.url}/v1/sessions?wait=300`));
  return [await created, socket];
}

/** The session of the next event of `type`. */
async function next({ grid }: WorkerScene, type: string): Promise<string> {
  const patience = AbortSignal.timeout(10_000);
  const event = await grid.core.bus.next(
    (each) => each.type === type,
    patience,
  );
  assert.ok(event, `waited for ${type}`);
  return event.subject;
}
