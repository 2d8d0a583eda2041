import { createClaimedSession, PLAIN_BROWSER } from "./claimed_session.ts";
import { setImmediate } from "node:timers";
import type { ClaimedSession, ReadyBrowsers } from "../../src/client/client.ts";
import type { BrowserHost } from "../../src/core/provider.ts";
import { Outbox } from "../../src/worker/outbox.ts";
import { Supervisor } from "../../src/worker/supervisor.ts";
import { WarmPool } from "../../src/worker/warm/pool.ts";
import { type HandedOver, WarmHost } from "../../src/worker/warm/host.ts";
import { createFakeClock, type FakeClock } from "./clock.ts";
import {
  createFakeProvider,
  type FakeBrowser,
  type FakeProvider,
} from "./fake_provider.ts";

/** Longer than any pause between starts, and than the time between two questions for the revision. */
const LONG_MS = 70_000;

/** Sessions and warm browsers of one worker over the fake provider, with a clock that stands still. */
export interface WarmScene extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly provider: FakeProvider;
  readonly host: WarmHost;
  readonly warm: WarmPool;
  readonly supervisor: Supervisor;
  readonly knobs: {
    isOpen: boolean;
    /** Why nothing can be written. */
    saveError?: string | undefined;
  };
  /** Last written state. */
  saved(): HandedOver;
  want(count: number, fields?: Partial<ReadyBrowsers>): Promise<void>;
  /** Lets a session be claimed. */
  take(id: string, fields?: Partial<ClaimedSession>): void;
  /** Last report of a session to the server. */
  report(id: string): ReturnType<Outbox["snapshot"]>[number] | undefined;
  /** Lets so much time pass, in which everything that can be done is done. */
  pass(ms?: number): Promise<void>;
  /** Browsers that run, the oldest first. */
  running(): readonly FakeBrowser[];
}

/** Sets the scene. */
export async function warmScene({ capacity = 5 } = {}): Promise<WarmScene> {
  const clock = createFakeClock();
  const provider = createFakeProvider();
  const knobs: WarmScene["knobs"] = { isOpen: true };
  let saved: HandedOver = {};
  const host = await warmHost(provider, {
    clock,
    save(handedOver) {
      if (knobs.saveError) return Promise.reject(new Error(knobs.saveError));
      saved = handedOver;
      return Promise.resolve();
    },
  });
  const warm = new WarmPool({
    host,
    clock,
    capacity,
    sessionsHeld: () => supervisor.size,
    isOpen: () => knobs.isOpen,
    isHostUp: async () => await true,
    isStarting: () => supervisor.isStarting,
    onChange: () => {},
  });
  const outbox = new Outbox();
  const supervisor: Supervisor = new Supervisor({
    host,
    warm,
    outbox,
    clock,
    capacity,
    graceMs: () => 0,
    isHostUp: async () => await true,
    onChange: () => warm.reconcile(),
  });
  const pass = async (ms = LONG_MS) => {
    clock.advance(ms);
    warm.reconcile();
    await settle();
  };
  return {
    clock,
    provider,
    host,
    warm,
    supervisor,
    knobs,
    saved: () => saved,
    async want(count, fields = {}) {
      warm.setTarget(
        count === 0
          ? undefined
          : { ...PLAIN_BROWSER, count, max_age_ms: 3_600_000, ...fields },
      );
      await settle();
    },
    take: (id, fields = {}) =>
      supervisor.start(claimed(id, fields), clock.monotonic()),
    report: (id) =>
      outbox.snapshot().find(({ session_id }) => session_id === id),
    pass,
    running: () => [...provider.running.values()],
    async [Symbol.asyncDispose]() {
      await supervisor.endAll({ reason: "the test is over", force: true });
      await warm[Symbol.asyncDispose]();
      await host[Symbol.asyncDispose]();
    },
  };
}

/** A warm host over a new process of the provider's host. */
export async function warmHost(
  provider: { open: FakeProvider["open"] },
  { clock, save = () => Promise.resolve(), handedOver = {} }: {
    readonly clock: FakeClock;
    readonly save?: (handedOver: HandedOver) => Promise<void>;
    readonly handedOver?: HandedOver;
  },
): Promise<WarmHost> {
  const host: BrowserHost = await provider.open({}, {
    gridId: "grid",
    workerId: "worker",
    dataDir: "",
  });
  return new WarmHost({ host, clock, handedOver, save });
}

function claimed(id: string, fields: Partial<ClaimedSession>): ClaimedSession {
  return createClaimedSession({ id, lease_ttl_ms: 1e9, ...fields });
}

/** Until nothing that is under way goes on without the clock. */
async function settle(): Promise<void> {
  for (let turns = 0; turns < 10; turns++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
