import assert from "node:assert/strict";
import { registrationExample } from "../../src/apps/workers/examples.ts";
import { Registry } from "../../src/core/registry.ts";
import type { WorkerStartOptions } from "../../src/worker/options.ts";
import { register, requestRegistration } from "../../src/worker/register.ts";
import { createFakeClock } from "../support/clock.ts";
import { settle } from "../support/event_loop.ts";
import { logRecords } from "../support/log_records.ts";
import { MemoryState } from "../support/memory_state.ts";
import {
  problem,
  ScriptedServer,
  silence,
} from "../support/scripted_server.ts";

const ID = registrationExample.worker.id;

/** A worker of the pool "fakes" that has not registered yet, and its server. */
function scene(fields: Partial<WorkerStartOptions> = {}) {
  const clock = createFakeClock();
  const server = new ScriptedServer(() => Response.json(registrationExample));
  const options: WorkerStartOptions = {
    client: server.client,
    providers: new Registry("provider", []),
    clock,
    workPoolId: "fakes",
    capacity: 3,
    pollIntervalSeconds: 10,
    dataDir: "unused",
    version: "1.1.3",
    ...fields,
  };
  return { clock, server, options };
}

Deno.test("register() creates an identity, sends it, and saves it with the worker's id", async () => {
  const { server, options } = scene({ workerName: "one" });
  const store = new MemoryState();
  const { state, proof, registration } = await register(options, store);
  const [request] = server.requests;
  assert.deepEqual([request?.method, request?.path], [
    "POST",
    "/v1/workerpool/workers",
  ]);
  assert.partialDeepStrictEqual(request?.body, {
    name: "one",
    secret: proof.secret,
    instance_id: proof.instanceId,
    work_pool_id: "fakes",
    capacity: 3,
    version: "1.1.3",
    reach: "direct",
  });
  assert.ok(!("id" in request?.body));
  assert.ok(request?.body.provider_details.hostname.length > 0);
  assert.deepEqual(await store.read(), state);
  assert.deepEqual(state, { name: "one", secret: proof.secret, id: ID });
  assert.equal(registration.worker.id, ID);
});

Deno.test("register() uses the saved identity with a new instance id, and keeps the handed-over browsers", async () => {
  const { server, options } = scene();
  const saved = {
    name: "one",
    secret: "a-secret",
    id: ID,
    handed_over: { "browser": "session" },
  };
  const store = new MemoryState(saved);
  const first = await register(options, store);
  const second = await register(options, store);
  assert.deepEqual(server.requests.map(({ body }) => [body.id, body.secret]), [
    [ID, "a-secret"],
    [ID, "a-secret"],
  ]);
  assert.notEqual(first.proof.instanceId, second.proof.instanceId);
  assert.deepEqual(await store.read(), saved);
});

Deno.test("register() prefers the id of the options to the saved one", async () => {
  const workerId = crypto.randomUUID();
  const { server, options } = scene({ workerId });
  await register(
    options,
    new MemoryState({ name: "one", secret: "a-secret", id: ID }),
  );
  assert.equal(server.requests[0]?.body.id, workerId);
});

Deno.test("register() trusts the registered leases from the moment of the request, not of the response", async () => {
  const { clock, server, options } = scene();
  server.respond = () => {
    clock.advance(5_000);
    return Response.json(registrationExample);
  };
  const { trustedUntil } = await register(options, new MemoryState());
  assert.equal(trustedUntil, registrationExample.lease_ttl_ms * 5 / 6);
});

for (
  const [cause, respond] of [
    ["is starting", () => problem(503, "shutting_down")],
    ["has an internal error", () => problem(500, "internal")],
    ["limits the rate", () => problem(429, "rate_limited")],
    ["is not reachable", () => Promise.reject(new TypeError("refused"))],
  ] as const
) {
  Deno.test(`requestRegistration() retries while the server ${cause}, with growing pauses of at most 5 s`, async () => {
    const { clock, server, options } = scene();
    server.respond = respond;
    await using log = await logRecords();
    const registering = register(options, new MemoryState());
    await settle();
    assert.equal(server.requests.length, 1);
    clock.advance(100);
    await settle();
    assert.equal(server.requests.length, 2);
    for (let tries = 2; tries < 12; tries++) {
      clock.advance(5_000);
      await settle();
      assert.equal(server.requests.length, tries + 1);
    }
    server.respond = () => Response.json(registrationExample);
    clock.advance(5_000);
    await registering;
    const warnings = log.records.filter(({ level }) => level === "warning");
    assert.equal(warnings.length, 1, "the first failure is logged");
  });
}

Deno.test("requestRegistration() repeats a request without a response after 10 s, with the same instance id", async () => {
  const { clock, server, options } = scene();
  server.respond = silence;
  const registering = register(options, new MemoryState());
  await settle();
  clock.advance(9_999);
  await settle();
  assert.ok(!server.requests[0]?.signal.aborted);
  server.respond = () => Response.json(registrationExample);
  clock.advance(1);
  await settle();
  clock.advance(100);
  await registering;
  const [first, second] = server.requests;
  assert.ok(first?.signal.aborted);
  assert.equal(first?.body.instance_id, second?.body.instance_id);
});

for (
  const [status, code] of [
    [401, "unauthorized"],
    [403, "forbidden"],
    [404, "pool_not_found"],
    [409, "worker_name_taken"],
    [422, "invalid_request"],
  ] as const
) {
  Deno.test(`requestRegistration() rejects with ${code} at the first response`, async () => {
    const { server, options } = scene();
    server.respond = () => problem(status, code);
    await assert.rejects(register(options, new MemoryState()), { code });
    assert.equal(server.requests.length, 1);
  });
}

Deno.test("requestRegistration() rejects with the signal's reason, during a request and during a pause", async () => {
  for (const respond of [silence, () => problem(503, "shutting_down")]) {
    const stop = new AbortController();
    const { server, options } = scene({ signal: stop.signal });
    server.respond = respond;
    const registering = requestRegistration(options, {
      state: { name: "one", secret: "a-secret" },
      proof: { secret: "a-secret", instanceId: "i" },
    });
    await settle();
    stop.abort(new Error("enough"));
    await assert.rejects(registering, /enough/);
  }
});

Deno.test("register() of a server of the previous version, which sends no version and accepts no measurements, takes none", async () => {
  const { metrics_ms: _, server_version: __, ...previous } =
    registrationExample;
  await using log = await logRecords();
  const { options } = scene();
  const server = new ScriptedServer(() => Response.json(previous));
  const { registration } = await register(
    { ...options, client: server.client },
    new MemoryState(),
  );
  assert.equal(registration.metrics_ms, 0);
  assert.deepEqual(log.records.filter(({ level }) => level !== "info"), []);
});

Deno.test("register() warns of a pool whose workers the server starts on machines, unless the server named the worker", async () => {
  const { worker } = registrationExample;
  const reply = {
    ...registrationExample,
    provider_type: "local",
    worker: { ...worker, provider_type: "kubernetes" },
  };
  await using log = await logRecords();
  for (const fields of [{}, { workerId: ID }]) {
    const { server, options } = scene(fields);
    server.respond = () => Response.json(reply);
    await register(options, new MemoryState());
  }
  const warnings = log.records.filter(({ level }) => level === "warning");
  assert.deepEqual(warnings.map(({ properties }) => properties), [{
    work_pool_id: worker.work_pool_id,
    machine_provider: "kubernetes",
    provider: "local",
  }]);
});

Deno.test("register() warns of a server that the worker's version does not support", async () => {
  await using log = await logRecords();
  const { options } = scene({ version: "1.2.3" });
  await register(options, new MemoryState());
  const { options: newer } = scene({ version: "1.0.9" });
  await register(newer, new MemoryState());
  const warnings = log.records.filter(({ level }) => level === "warning");
  assert.deepEqual(
    warnings.map(({ properties }) => [
      properties["server_version"],
      properties["version"],
    ]),
    [["1.0.0", "1.2.3"]],
  );
});
