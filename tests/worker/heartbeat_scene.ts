import { settle } from "../support/event_loop.ts";
import type { WorkerCommand } from "../../src/client/client.ts";
import { Heartbeat } from "../../src/worker/heartbeat.ts";
import { Outbox } from "../../src/worker/outbox.ts";
import type { Report } from "../../src/worker/report.ts";
import { ServerAvailability } from "../../src/worker/server_availability.ts";
import { createFakeClock } from "../support/clock.ts";
import { ScriptedServer } from "../support/scripted_server.ts";

export const LEASE_MS = 30_000;
export const SESSION = "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d";
export const RUNNING: Report = {
  session_id: SESSION,
  fencing_token: 1,
  status: "running",
  endpoint: "ws://127.0.0.1:1/x",
  details: { pid: "1" },
};

/** Creates the response to a heartbeat in which every report is accepted. */
export function accepted(
  fields: Readonly<Record<string, unknown>> = {},
): Response {
  return Response.json({
    status: "online",
    lease_ttl_ms: LEASE_MS,
    reports: [],
    commands: [],
    ...fields,
  });
}

/** A heartbeat with a fake supervisor and warm pool, which record their calls. */
function createScene() {
  const clock = createFakeClock();
  const server = new ScriptedServer(() => accepted());
  const outbox = new Outbox();
  const availability = new ServerAvailability();
  const calls = {
    lost: [] as string[],
    trustedUntil: [] as number[],
    targets: [] as unknown[],
    commands: [] as WorkerCommand[],
    followed: [] as unknown[],
    unknown: 0,
    replaced: 0,
  };
  const supervisor = {
    size: 0,
    endLost: (ids: readonly string[]) => void calls.lost.push(...ids),
    renew: (_: unknown, __: unknown, trustedUntil: number) =>
      void calls.trustedUntil.push(trustedUntil),
  };
  const heartbeat = new Heartbeat({
    client: server.client,
    workerId: "worker",
    proof: { secret: "a-secret", instanceId: "instance" },
    clock,
    periodMs: 10_000,
    outbox,
    dataDir: "/",
    supervisor,
    samples: {
      takeSession: () => ({ cpuPercent: 12.5, networkRxBytes: 1.7 }),
      takeHost: () => ({
        cpu_percent: 40,
        memory_usage_mb: 100,
        disk_usage_mb: null,
      }),
    },
    warm: {
      readyCount: 2,
      setTarget: (target) => void calls.targets.push(target),
    },
    availability,
    readStatus: () => "online",
    readHostDetails: () => ({ os: "test" }),
    onCommands: (commands) => void calls.commands.push(...commands),
    onFollowed: (followed) => void calls.followed.push(followed),
    onUnknown: () => {
      calls.unknown++;
      return Promise.resolve();
    },
    onReplaced: () => void calls.replaced++,
  });
  return {
    clock,
    server,
    outbox,
    availability,
    calls,
    supervisor,
    heartbeat,
    async pass(ms: number) {
      clock.advance(ms);
      await settle();
    },
  };
}

/** Parts of a test: the heartbeat, its server and clock, and the calls that it made. */
export type HeartbeatScene = ReturnType<typeof createScene>;

/** Creates a heartbeat that was not started. */
export function scene(): HeartbeatScene {
  return createScene();
}

/** Adds a disposal that stops the heartbeat of a scene. */
export function disposable(
  s: HeartbeatScene,
): HeartbeatScene & AsyncDisposable {
  return {
    ...s,
    async [Symbol.asyncDispose]() {
      const disposal = s.heartbeat[Symbol.asyncDispose]();
      // A server that is silent has 2 s.
      await s.pass(2_000);
      await disposal;
    },
  };
}
