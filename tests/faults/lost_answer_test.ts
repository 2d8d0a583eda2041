import assert from "node:assert/strict";
import { createClient, type GridClient } from "../../src/client/client.ts";
import { systemClock } from "../../src/async/clock.ts";
import { type RunningProgram, startProgram } from "../support/program.ts";

/** A server in a process of its own. */
async function serve(
  dataDir: string,
): Promise<
  AsyncDisposable & {
    readonly program: RunningProgram;
    readonly client: GridClient;
  }
> {
  const program = startProgram(
    ["serve", "--port", "0", "--data-dir", dataDir],
  );
  const [, apiUrl = ""] = await program.until(/API +(http:\S+)\/v1/);
  return {
    program,
    client: createClient({ apiUrl }),
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

async function tempDir(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempDir({ prefix: "browsergrid-test-" });
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

/** The only session that there is. */
async function onlySession(client: GridClient): Promise<string> {
  for (;;) {
    const { items } = await client.listSessions();
    const [session] = items;
    assert.ok(items.length <= 1);
    if (session) return session.id;
    await systemClock.sleep(20);
  }
}

Deno.test("a server killed after it created a session and before it responded returns that session to the repeated request", async () => {
  await using dir = await tempDir();
  const once = { idempotencyKey: "8e03978e-40d5-43e8-bc93-6894a57f9324" };
  let id = "";
  {
    await using server = await serve(dir.path);
    await server.client.createPool({ name: "pool", provider_type: "local" });
    // No worker is there, so the answer is held back.
    const lost = assert.rejects(
      server.client.createSession({}, { ...once, waitSeconds: 60 }),
      { code: "unreachable" },
    );
    id = await onlySession(server.client);
    server.program.kill("SIGKILL");
    await Promise.all([server.program.status, lost]);
  }
  await using server = await serve(dir.path);
  const repeated = await server.client.createSession({}, once);
  assert.deepEqual([repeated.id, repeated.status], [id, "pending"]);
  assert.equal(await onlySession(server.client), id);
});

Deno.test("two server processes on one database with the same request at once create one session", async () => {
  await using dir = await tempDir();
  await using one = await serve(dir.path);
  await using two = await serve(dir.path);
  await one.client.createPool({ name: "pool", provider_type: "local" });
  const clients = [one.client, two.client];
  const ids = await Promise.all(
    Array.from({ length: 80 }, async (_, at) => {
      const idempotencyKey = `key-${at >> 3}`;
      const client = clients[at % 2] ?? one.client;
      return (await client.createSession({}, { idempotencyKey })).id;
    }),
  );
  for (let first = 0; first < 80; first += 8) {
    assert.equal(new Set(ids.slice(first, first + 8)).size, 1);
  }
  const { items } = await one.client.listSessions();
  assert.deepEqual(
    new Set(items.map(({ id }) => id)),
    new Set(ids),
  );
  assert.equal(items.length, 10);
});
