import assert from "node:assert/strict";
import { createLocalFetch } from "../../../src/cli/serve/local_fetch.ts";
import { createClient } from "../../../src/client/client.ts";
import type { GridClient } from "../../../src/client/client.ts";
import { testGrid } from "../../support/grid.ts";
import { keyedGrid } from "../../support/keys.ts";
import { untilWaiting } from "../../support/until_waiting.ts";

const API_URL = "http://127.0.0.1:8765";

const WORKER = { name: "one", work_pool_id: "pool" };

/** Creates a pool and registers a worker. Returns how that worker claims. */
async function registerWorker(client: GridClient) {
  await client.createPool({ name: "pool", provider_type: "local" });
  const { worker, instance_id, secret = "" } = await client.registerWorker(
    WORKER,
  );
  const proof = { instanceId: instance_id, secret };
  return (signal?: AbortSignal) =>
    client.claimSession(worker.id, { room: 1, count: 1 }, {
      proof,
      waitSeconds: 20,
      signal,
    });
}

Deno.test("a local fetch reaches the API with the key of the server itself, and not without", async () => {
  await using grid = await keyedGrid();
  const fetch = createLocalFetch(grid);
  const { selfKey } = grid.core.auth;
  const self = createClient({ apiUrl: API_URL, apiKey: selfKey, fetch });
  assert.equal((await self.listPools()).items.length, 0);
  const other = createClient({ apiUrl: API_URL, fetch });
  await assert.rejects(other.listPools(), { code: "unauthorized" });
});

Deno.test("a local fetch validates the body and limits its size", async () => {
  await using grid = await testGrid();
  const fetch = createLocalFetch(grid);
  const client = createClient({ apiUrl: API_URL, fetch });
  await assert.rejects(
    client.createPool({ name: "", provider_type: "local" }),
    {
      code: "invalid_request",
    },
  );
  const description = "é".repeat(1.5 * 2 ** 20);
  await assert.rejects(
    client.createPool({ name: "a", provider_type: "local", description }),
    { code: "body_too_large" },
  );
});

Deno.test("the abort of a local fetch ends its claim, which then takes no session", async () => {
  await using grid = await testGrid();
  const fetch = createLocalFetch(grid);
  const client = createClient({ apiUrl: API_URL, fetch });
  const claim = await registerWorker(client);
  const abort = new AbortController();
  const aborted = claim(abort.signal);
  await untilWaiting();
  abort.abort(new Error("enough"));
  await assert.rejects(aborted, { message: "enough" });
  const { id } = await client.createSession({});
  assert.equal((await client.getSession(id)).status, "pending");
  const response = await claim();
  assert.deepEqual(response?.sessions.map((each) => each.id), [id]);
});

Deno.test("the stop of a server ends the claims of a local fetch", async () => {
  const grid = await testGrid();
  const fetch = createLocalFetch(grid);
  const claim = await registerWorker(createClient({ apiUrl: API_URL, fetch }));
  const waiting = claim();
  await untilWaiting();
  await grid[Symbol.asyncDispose]();
  assert.equal(await waiting, undefined);
});
