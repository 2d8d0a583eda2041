import assert from "node:assert/strict";
import { createClaimedSession } from "../support/claimed_session.ts";
import { registrationExample } from "../../src/apps/workers/examples.ts";
import { Registry } from "../../src/core/registry.ts";
import { Worker } from "../../src/worker/worker.ts";
import { createFakeClock } from "../support/clock.ts";
import { settle } from "../support/event_loop.ts";
import { createFakeProvider } from "../support/fake_provider.ts";
import { logRecords } from "../support/log_records.ts";
import { MemoryState } from "../support/memory_state.ts";
import {
  problem,
  type ScriptedRequest,
  ScriptedServer,
  silence,
} from "../support/scripted_server.ts";

const SESSION = "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d";

/** A worker whose server can reject its key. It claims one session if `holds` is true. */
async function scene({ holds }: { readonly holds: boolean }) {
  const clock = createFakeClock();
  const provider = createFakeProvider();
  const knobs = { isRejected: false, rejectsRegistration: true };
  const claims: unknown[] = holds
    ? [createClaimedSession({ id: SESSION })]
    : [];
  const server = new ScriptedServer((request) => {
    const isRegistration = request.method === "POST" &&
      request.path.endsWith("/workers");
    if (isRegistration && knobs.isRejected && !knobs.rejectsRegistration) {
      return Response.json(registration());
    }
    if (knobs.isRejected) return problem(401, "unauthorized");
    if (isRegistration) return Response.json(registration());
    if (request.path.endsWith("/heartbeat")) return accept(request);
    const sessions = claims.splice(0);
    if (sessions.length === 0) return silence();
    return Response.json({ sessions, waited_ms: 0, commands: [] });
  });
  const worker = await Worker.start({
    client: server.client,
    providers: new Registry("provider", [provider]),
    clock,
    workPoolId: "fakes",
    capacity: 3,
    pollIntervalSeconds: 10,
    dataDir: "unused",
    state: new MemoryState(),
    version: "0.0.0-test",
  });
  let end: string | undefined;
  void worker.done.then((reason) => end = reason);
  await settle();
  return {
    provider,
    knobs,
    worker,
    end: () => end,
    registrations: () =>
      server.requests.filter(({ path }) => path.endsWith("/workers")).length,
    async pass(seconds: number) {
      for (let second = 0; second < seconds; second++) {
        clock.advance(1_000);
        await settle();
      }
    },
    async [Symbol.asyncDispose]() {
      const leaving = worker[Symbol.asyncDispose]();
      for (let second = 0; second < 5; second++) {
        clock.advance(1_000);
        await settle();
      }
      await leaving;
    },
  };
}

function registration() {
  const { worker } = registrationExample;
  return {
    ...registrationExample,
    worker: { ...worker, provider_type: "fake" },
    provider_type: "fake",
    held_sessions: [],
  };
}

function accept({ body }: ScriptedRequest): Response {
  return Response.json({
    status: "online",
    lease_ttl_ms: 30_000,
    reports: body.sessions.map((
      { session_id }: { readonly session_id: string },
    ) => ({ session_id, result: "accepted" })),
    commands: [],
  });
}

Deno.test("a worker without sessions whose key was deleted ends as rejected after 2 minutes, with one error in the log", async () => {
  await using s = await scene({ holds: false });
  await using log = await logRecords();
  s.knobs.isRejected = true;
  await s.pass(115);
  assert.equal(s.end(), undefined);
  assert.equal(s.registrations(), 1);
  await s.pass(30);
  assert.equal(s.end(), "rejected");
  assert.equal(s.registrations(), 2);
  const errors = log.records.filter(({ level }) => level === "error");
  assert.equal(errors.length, 1);
  assert.match(
    String(errors[0]?.properties["error"]),
    /^Cannot serve the request: unauthorized/,
  );
});

Deno.test("a worker whose key is accepted again within 2 minutes continues, and counts anew", async () => {
  await using s = await scene({ holds: false });
  for (let times = 0; times < 3; times++) {
    s.knobs.isRejected = true;
    await s.pass(100);
    s.knobs.isRejected = false;
    await s.pass(15);
  }
  assert.equal(s.end(), undefined);
  assert.equal(s.registrations(), 1);
});

Deno.test("a worker whose registration is accepted while its heartbeats are not continues, and registers again after 2 more minutes", async () => {
  await using s = await scene({ holds: false });
  s.knobs.isRejected = true;
  s.knobs.rejectsRegistration = false;
  await s.pass(140);
  assert.equal(s.registrations(), 2);
  await s.pass(140);
  assert.equal(s.registrations(), 3);
  assert.equal(s.end(), undefined);
});

Deno.test("a rejected key for a moment ends no held browser; one that lasts ends it with its lease, and the worker later", async () => {
  await using s = await scene({ holds: true });
  await s.pass(12);
  assert.ok(s.provider.running.has(SESSION));
  s.knobs.isRejected = true;
  await s.pass(10);
  s.knobs.isRejected = false;
  await s.pass(30);
  assert.ok(s.provider.running.has(SESSION));
  s.knobs.isRejected = true;
  await s.pass(40);
  assert.ok(!s.provider.running.has(SESSION), "its lease is not trusted");
  assert.equal(s.end(), undefined);
  await s.pass(110);
  assert.equal(s.end(), "rejected");
});
