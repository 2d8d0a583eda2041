import assert from "node:assert/strict";
import { createClaimedSession } from "../support/claimed_session.ts";
import type { ClaimedSession } from "../../src/client/client.ts";
import { Outbox } from "../../src/worker/outbox.ts";
import { Supervisor } from "../../src/worker/supervisor.ts";
import { createFakeClock } from "../support/clock.ts";
import { createFakeProvider } from "../support/fake_provider.ts";

const LEASE_MS = 30_000;

/** A supervisor with a fake host and a fake clock. */
async function scene() {
  const clock = createFakeClock();
  const provider = createFakeProvider();
  const outbox = new Outbox();
  const host = await provider.open({}, {
    gridId: "grid",
    workerId: "worker",
    dataDir: "",
  });
  const knobs = { graceMs: 0 };
  const supervisor = new Supervisor({
    host,
    warm: {
      take: () => Promise.resolve(undefined),
      makeRoom: () => Promise.resolve(),
    },
    outbox,
    clock,
    capacity: 5,
    graceMs: () => knobs.graceMs,
    isHostUp: async () => await true,
    onChange: () => {},
  });
  return {
    clock,
    provider,
    supervisor,
    knobs,
    /** The last report of a session. */
    report: (id: string) =>
      outbox.snapshot().find(({ session_id }) => session_id === id),
    async idle() {
      while (supervisor.size > 0) await turn();
    },
    /** A session whose browser runs, as the server knows. */
    async running(id: string) {
      supervisor.start(claimed(id), clock.monotonic());
      while (!provider.running.has(id)) await turn();
      await turn();
      supervisor.renew(
        [{ session_id: id, fencing_token: 1, status: "running" }],
        [{ session_id: id, result: "accepted" }],
        clock.monotonic() + LEASE_MS * 5 / 6,
      );
    },
  };
}

function claimed(id: string, fencing_token = 1): ClaimedSession {
  return createClaimedSession({ id, fencing_token, lease_ttl_ms: LEASE_MS });
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

Deno.test("a session whose lease is no longer trusted is ended before the server's lease expires", async () => {
  const s = await scene();
  await s.running("a");
  s.clock.advance(LEASE_MS * 5 / 6);
  s.supervisor.endOverdue();
  assert.ok(s.provider.running.has("a"), "the lease is still trusted");
  s.clock.advance(1);
  s.supervisor.endOverdue();
  await s.idle();
  assert.ok(!s.provider.running.has("a"));
  assert.equal(s.report("a")?.status, "crashed");
});

Deno.test("while the server is unavailable, running browsers are kept for the grace, and starts are released without it", async () => {
  const s = await scene();
  await s.running("a");
  s.provider.knobs.hold = new Promise(() => {});
  s.supervisor.start(claimed("b"), s.clock.monotonic());
  await turn();
  s.knobs.graceMs = 120_000;
  s.clock.advance(LEASE_MS);
  s.supervisor.endOverdue();
  await turn();
  assert.equal(s.report("b")?.status, "released");
  assert.ok(s.provider.running.has("a"));
  s.clock.advance(120_000);
  s.supervisor.endOverdue();
  await s.idle();
  assert.equal(s.report("a")?.status, "crashed");
});

Deno.test("a browser that the server has not recorded as running is released when the lease is no longer trusted, without grace", async () => {
  const s = await scene();
  s.supervisor.start(claimed("a"), s.clock.monotonic());
  while (!s.provider.running.has("a")) await turn();
  s.knobs.graceMs = 120_000;
  s.clock.advance(LEASE_MS);
  s.supervisor.endOverdue();
  await s.idle();
  assert.equal(s.report("a")?.status, "released");
});

Deno.test("a renewal counts from its request, and sets how long the session may live", async () => {
  const s = await scene();
  await s.running("a");
  const renew = (expires_in_ms: number) =>
    s.supervisor.renew(
      [{ session_id: "a", fencing_token: 1, status: "running" }],
      [{ session_id: "a", result: "accepted", expires_in_ms }],
      s.clock.monotonic() + LEASE_MS,
    );
  renew(60_000);
  s.clock.advance(LEASE_MS);
  renew(30_000);
  s.clock.advance(LEASE_MS);
  s.supervisor.endOverdue();
  assert.ok(s.provider.running.has("a"), "the server's command is awaited");
  renew(0);
  s.clock.advance(15_001);
  s.supervisor.endOverdue();
  await s.idle();
  assert.equal(s.report("a")?.status, "expired");
});

Deno.test("a command with an older fencing token does not end the session under the newer one", async () => {
  const s = await scene();
  s.supervisor.start(claimed("a", 2), s.clock.monotonic());
  while (!s.provider.running.has("a")) await turn();
  const command = {
    type: "stop",
    session_id: "a",
    status: "completed",
    reason: "ended",
    force: false,
  } as const;
  s.supervisor.stop({ ...command, fencing_token: 1 });
  await turn();
  assert.ok(s.provider.running.has("a"));
  s.supervisor.stop({ ...command, fencing_token: 2 });
  await s.idle();
  assert.equal(s.report("a")?.status, "completed");
});

Deno.test("adopt() reports missing browsers: running sessions have crashed, starting ones are released", async () => {
  const s = await scene();
  s.supervisor.adopt(
    [],
    [
      { session_id: "a", fencing_token: 1, status: "running" },
      { session_id: "b", fencing_token: 1, status: "starting" },
    ],
    0,
  );
  assert.equal(s.report("a")?.status, "crashed");
  assert.equal(s.report("b")?.status, "released");
});

Deno.test("a browser that hangs is killed within a minute, its session is crashed, and there is room again", async () => {
  const { clock, provider, supervisor, report, idle, running } = await scene();
  await running("a");
  provider.knobs.probe = () => new Promise(() => {});
  for (let seconds = 0; seconds < 60; seconds += 5) {
    clock.advance(5_000);
    await turn();
  }
  await idle();
  const { status, status_reason } = report("a") ?? {};
  assert.deepEqual([status, status_reason], [
    "crashed",
    "the browser hangs: it does not respond",
  ]);
  assert.deepEqual(provider.graces, [0]);
  assert.equal(supervisor.room, 5);
});
