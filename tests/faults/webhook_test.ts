import assert from "node:assert/strict";
import { createClient, type GridClient } from "../../src/client/client.ts";
import { kill } from "../support/chaos_grid.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free_port.ts";
import { type RunningProgram, startProgram } from "../support/program.ts";
import {
  startReceiver,
  type WebhookReceiver,
} from "../support/webhook_receiver.ts";

const SETTINGS = {
  BROWSERGRID_WEBHOOK_ALLOW_HTTP: "true",
  BROWSERGRID_WEBHOOK_ALLOWED_NETWORKS: "127.0.0.1",
};

/** Number of sessions whose events are delivered. */
const SESSIONS = 30;

/** A server without workers that can be killed and started again on its data. */
interface Scene extends AsyncDisposable {
  readonly client: GridClient;
  start(): Promise<RunningProgram>;
}

async function openScene(): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const dataDir = await Deno.makeTempDir({ prefix: "browsergrid-hooks-" });
  stack.defer(() => Deno.remove(dataDir, { recursive: true }));
  const port = freePort();
  const owned = stack.move();
  return {
    client: createClient({ apiUrl: `http://127.0.0.1:${port}` }),
    async start() {
      const args = ["--port", String(port), "--data-dir", dataDir];
      const server = owned.use(startProgram(["serve", ...args], SETTINGS));
      await server.until(/API +(\S+)\/v1/);
      return server;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Creates a webhook and sessions; returns their ids as soon as the last one is committed. */
async function createSessions(
  client: GridClient,
  url: string,
): Promise<readonly string[]> {
  await client.createPool({ name: "pool", provider_type: "local" });
  await client.createWebhook({
    name: "hook",
    url,
    event_pattern: "session.created",
    timeout_seconds: 1,
  });
  const sessions = await Promise.all(
    Array.from({ length: SESSIONS }, () => client.createSession({})),
  );
  return sessions.map(({ id }) => id);
}

/** Waits until the event of each session was received, and returns the number of requests of each. */
async function countDeliveries(
  { received }: WebhookReceiver,
  ids: readonly string[],
): Promise<readonly number[]> {
  const count = (id: string) =>
    received.filter(({ body }) => body.data.session.id === id).length;
  await eventually(
    "each event is delivered",
    () => Promise.resolve(ids.every((id) => count(id) > 0)),
    { withinMs: 60_000 },
  );
  return ids.map(count);
}

Deno.test("a server killed after a commit loses no delivery", async () => {
  await using receiver = await startReceiver();
  await using scene = await openScene();
  const server = await scene.start();
  const ids = await createSessions(scene.client, receiver.url);
  await kill(server);
  await scene.start();
  const counts = await countDeliveries(receiver, ids);
  // Those that the killed server was sending.
  const repeated = counts.filter((count) => count > 1).length;
  assert.ok(repeated <= 10, `${repeated} were repeated`);
});

Deno.test("deliveries that a killed server was sending are sent again when their leases are over, with the same id", async () => {
  const killed = Promise.withResolvers<void>();
  await using receiver = await startReceiver(async () => {
    await killed.promise;
    return { status: 204 };
  });
  await using scene = await openScene();
  const server = await scene.start();
  const ids = await createSessions(scene.client, receiver.url);
  await receiver.waitFor(5);
  await kill(server);
  const sent = receiver.received.map(({ headers }) =>
    headers.get("webhook-id")
  );
  killed.resolve();
  await scene.start();
  await countDeliveries(receiver, ids);
  const again = (id: string | null) =>
    receiver.received.filter(({ headers }) => headers.get("webhook-id") === id)
      .length;
  await eventually(
    "what was being sent is sent again",
    () => Promise.resolve(sent.every((id) => again(id) > 1)),
  );
});
