import assert from "node:assert/strict";
import { registrationExample } from "../../src/apps/workers/examples.ts";
import { Registry } from "../../src/core/registry.ts";
import { Outbox } from "../../src/worker/outbox.ts";
import { WorkerParts } from "../../src/worker/parts.ts";
import { register } from "../../src/worker/register.ts";
import { createFakeClock } from "../support/clock.ts";
import { settle } from "../support/event_loop.ts";
import { createFakeProvider } from "../support/fake_provider.ts";
import { MemoryState } from "../support/memory_state.ts";
import { ScriptedServer, silence } from "../support/scripted_server.ts";
import { warmHost } from "../support/warm_scene.ts";

/** The parts of a registered worker, whose server sends commands that a test sets. */
async function scene({ capacity = 2 } = {}) {
  const clock = createFakeClock();
  const provider = createFakeProvider();
  const knobs = { commands: [] as unknown[] };
  const server = new ScriptedServer(({ method, path }) => {
    if (path.endsWith("/claim-session")) return silence();
    if (method === "POST") return Response.json(registrationExample);
    const { commands } = knobs;
    return Response.json({ lease_ttl_ms: 30_000, reports: [], commands });
  });
  const worker = {
    client: server.client,
    providers: new Registry("provider", [provider]),
    clock,
    workPoolId: "fakes",
    capacity,
    pollIntervalSeconds: 5,
    dataDir: "unused",
    version: "0.0.0-test",
  };
  let changes = 0;
  const options = {
    worker,
    membership: await register(worker, new MemoryState()),
    host: await warmHost(provider, { clock }),
    outbox: new Outbox(),
    onChange: () => void changes++,
    onUnknown: () => Promise.resolve(),
    onReplaced: () => {},
  };
  const parts = new WorkerParts(options);
  return {
    clock,
    provider,
    server,
    knobs,
    parts,
    options,
    changes: () => changes,
    async beat() {
      parts.heartbeat.sendSoon();
      await settle();
    },
    async [Symbol.asyncDispose]() {
      await parts.heartbeat[Symbol.asyncDispose]();
      await parts.warm[Symbol.asyncDispose]();
    },
  };
}

Deno.test("WorkerParts start nothing when they are created", async () => {
  await using s = await scene();
  await settle();
  s.clock.advance(60_000);
  await settle();
  assert.equal(s.server.requests.length, 1, "only the registration");
  assert.equal(s.changes(), 0);
});

Deno.test("the status is failed until the adoption and while the host is down, then online, busy or draining", async () => {
  await using s = await scene({ capacity: 0 });
  assert.equal(s.parts.status, "failed");
  s.parts.hasAdopted = true;
  assert.equal(s.parts.status, "busy");
  s.parts.drain.begin(1_000);
  assert.equal(s.parts.status, "draining");
  s.provider.knobs.down = "the engine is down";
  await s.parts.health.check();
  assert.equal(s.parts.status, "failed");
  await using roomy = await scene();
  roomy.parts.hasAdopted = true;
  assert.equal(roomy.parts.status, "online");
});

Deno.test("a worker accepts sessions unless it drains or its host is down", async () => {
  await using s = await scene();
  assert.ok(s.parts.isOpen);
  s.provider.knobs.down = "the engine is down";
  await s.parts.health.check();
  assert.ok(!s.parts.isOpen);
  s.provider.knobs.down = undefined;
  await s.parts.health.check();
  assert.ok(s.parts.isOpen);
  s.parts.drain.begin(1_000);
  assert.ok(!s.parts.isOpen);
});

Deno.test("a heartbeat contains the problem of the host, and is sent when the health changes", async () => {
  await using s = await scene();
  s.parts.heartbeat.start();
  await settle();
  s.provider.knobs.down = "the engine is down";
  await s.parts.health.check();
  const { body } = await s.server.latest();
  assert.equal(body.provider_details.problem, "the engine is down");
  assert.equal(body.status, "failed");
  assert.equal(s.changes(), 1);
});

Deno.test("a drain command drains the worker until a response without it, and each change is reported", async () => {
  await using s = await scene();
  s.parts.hasAdopted = true;
  s.knobs.commands = [{ type: "drain", timeout_ms: 10_000 }];
  s.parts.heartbeat.start();
  await settle();
  assert.ok(s.parts.drain.isActive);
  assert.equal((await s.server.latest()).body.status, "draining");
  assert.equal(s.changes(), 1);
  s.knobs.commands = [];
  await s.beat();
  assert.ok(!s.parts.drain.isActive);
  assert.equal(s.changes(), 2);
});

Deno.test("a stop command for a session that is not held is answered with its end", async () => {
  await using s = await scene();
  const session_id = crypto.randomUUID();
  const stop = {
    type: "stop",
    session_id,
    fencing_token: 4,
    status: "completed",
    reason: "it was deleted",
    force: false,
  };
  const { respond } = s.server;
  s.server.respond = () => {
    s.server.respond = respond;
    return Response.json({
      lease_ttl_ms: 30_000,
      reports: [],
      commands: [stop],
    });
  };
  s.parts.heartbeat.start();
  const { body } = await s.server.latest();
  assert.partialDeepStrictEqual(body.sessions, [{
    session_id,
    fencing_token: 4,
    status: "completed",
    status_reason: "it was deleted",
  }]);
});

Deno.test("heartbeats follow the shorter of the server's and the worker's interval", async () => {
  await using s = await scene();
  s.parts.heartbeat.start();
  await settle();
  const before = s.server.requests.length;
  s.clock.advance(5_000);
  await settle();
  assert.equal(s.server.requests.length, before + 1);
});

Deno.test("openTunnel() opens none for a worker that is reached directly", async () => {
  await using s = await scene();
  assert.equal(s.parts.openTunnel(), undefined);
  const direct = new WorkerParts({
    ...s.options,
    worker: {
      ...s.options.worker,
      reach: "direct",
      openTunnel: () => assert.fail("no tunnel is needed"),
    },
  });
  assert.equal(direct.openTunnel(), undefined);
});
