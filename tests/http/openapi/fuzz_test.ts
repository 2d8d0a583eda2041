/**
 * Sends valid and invalid requests to every operation of `/openapi.json`, and checks every response against the document.
 * The requests are the same in each run. `FUZZ_SEED=N` or `random` changes them, and `FUZZ_RUNS=N` their number.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  INSTANCE_HEADER,
  SECRET_HEADER,
} from "../../../src/core/worker_proof.ts";
import { createApiClient } from "../../support/api.ts";
import {
  type DescribedApi,
  describedApi,
  type DescribedOperation,
} from "../../support/api_document.ts";
import {
  allowedRequest,
  brokenRequest,
  type FuzzedRequest,
} from "../../support/fuzzed_request.ts";
import { fakePage } from "../../support/fake_page.ts";
import { type TestGrid, testGrid } from "../../support/grid.ts";
import type { ValueOptions } from "../../support/schema_values.ts";
import { startUpstream } from "../../support/upstream.ts";
import { findProof } from "../../support/worker_proofs.ts";
import { readText } from "../../support/read_text.ts";

const { FUZZ_SEED = "486080793", FUZZ_RUNS } = Deno.env.toObject();
const IS_RANDOM = FUZZ_SEED === "random";
const SEED = IS_RANDOM
  ? Math.trunc(Math.random() * 2 ** 31)
  : Number(FUZZ_SEED);
const RUNS = Number(FUZZ_RUNS ?? (IS_RANDOM ? 1_000 : 100));

/** Creates a pool with a worker and a running session for one operation, which may delete them. */
async function knownIds(
  grid: TestGrid,
  endpoint: string,
  operation: string,
): Promise<ValueOptions["known"]> {
  const api = createApiClient(grid);
  const name = `pool-${crypto.randomUUID()}`;
  const pool = await api.pool({ name });
  const unused = await api.pool({ name: `unused-${name}` });
  const { id } = await api.session({ work_pool_id: name });
  const key = await grid.keys().create({ name, role: "client" });
  const worker = await api.worker({ work_pool_id: name });
  const idle = await api.worker({ work_pool_id: unused.id });
  const claimed = await api.claim(worker);
  const { secret, instanceId } = findProof(worker);
  assert.ok(claimed);
  const { body: webhook } = await api.call("POST", "/webhooks", {
    name,
    url: "https://hooks.example/",
    event_pattern: "session.*",
  });
  const test = await api.call("POST", `/webhooks/${webhook.id}/test`);
  await api.report(worker, claimed, "running", { endpoint });
  const link = await api.call("POST", `/sessions/${id}/live-links`);
  if (operation !== "requestHandover") {
    await api.call("POST", `/sessions/${id}/handover`, { reason: "sign in" });
  }
  return {
    id: [id, id, crypto.randomUUID()],
    key: [key.key],
    key_id: [key.id, key.prefix, crypto.randomUUID()],
    // The first admin key would lock out the following requests.
    role: ["client", "worker"],
    expires_at: ["2999-01-01T00:00:00Z"],
    session_id: [id, crypto.randomUUID()],
    pool_id: [name, pool.id, unused.id, "nobody's"],
    work_pool_id: [pool.id],
    worker_id: [worker, worker, idle, crypto.randomUUID()],
    instance_id: [crypto.randomUUID()],
    webhook_id: [webhook.id, webhook.id, crypto.randomUUID()],
    delivery_id: [test.body.id, test.body.id, 7_000_000],
    link_id: [link.body.id, link.body.id, crypto.randomUUID()],
    // Deliveries wait only for an active webhook.
    active: [true],
    [SECRET_HEADER]: [secret],
    [INSTANCE_HEADER]: [instanceId, crypto.randomUUID()],
    fencing_token: [claimed.fencing_token, 7],
    arguments: [["--lang=de-DE"], ["--no-sandbox"]],
    // A pool with strict limits would reject sessions.
    max_timeout_minutes: [7 * 24 * 60],
    provider_type: ["local"],
    provider_config: [{}],
    endpoint: [endpoint],
    ...(operation === "requestHandover"
      ? { until: [{ url: "https://*" }, { selector: "#done" }] }
      : {}),
    target_id: ["PAGE", "PAGE", "NONE"],
  };
}

/** @throws {assert.AssertionError} If the response does not match the document. */
async function check(
  api: DescribedApi,
  operation: DescribedOperation,
  request: FuzzedRequest,
  response: Response,
): Promise<void> {
  const text = await readText(response);
  const { status } = response;
  const said = `${operation.id}: ${status} ${text.slice(0, 400)}`;
  assert.ok(status < 500, said);
  const answer = operation.answers[status];
  assert.ok(answer, `${said}: the document has no such status`);
  assert.ok(response.headers.get("x-request-id"), said);
  const [type = ""] = (response.headers.get("content-type") ?? "").split(";");
  if (status >= 400) assert.equal(type, "application/problem+json", said);
  if (answer.content === undefined) return assert.equal(text, "", said);
  const media = answer.content[type];
  assert.ok(media, `${said}: the document has no ${type}`);
  const value = /json/.test(type) ? JSON.parse(text) : text;
  assert.equal(api.fault(media.schema, value), undefined, said);
  const isRefused = ["invalid_request", "malformed_json"].includes(value?.code);
  assert.ok(!(request.isAllowed && isRefused), `${said}: it is allowed`);
}

Deno.test("every operation responds to every request as the document says, and never with a 5xx", async (t) => {
  await using upstream = await startUpstream({ page: fakePage() });
  await using grid = await testGrid();
  const api = await describedApi(grid);
  for (const operation of api.operations) {
    await t.step(operation.id, async () => {
      const known = await knownIds(grid, upstream.endpoint, operation.id);
      const options = { follow: api.follow, known };
      const statuses = new Set<number>();
      await fc.assert(
        fc.asyncProperty(
          fc.oneof(
            allowedRequest(operation, options),
            brokenRequest(operation, options),
          ),
          async (request) => {
            const { path, isAllowed: _, ...init } = request;
            const response = await grid.request(path, init);
            statuses.add(response.status);
            await check(api, operation, request, response);
          },
        ),
        { seed: SEED, numRuns: RUNS, endOnFailure: true },
      );
      assert.ok(
        operation.isWebSocket || [...statuses].some((status) => status < 300),
        `FUZZ_SEED=${SEED}: no request was accepted, only ${[...statuses]}`,
      );
    });
  }
  assert.equal((await grid.request("/ready")).status, 200);
});
