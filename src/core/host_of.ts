import type { BrowserSpec } from "./browser_spec.ts";
import { type CdpReady, waitForCdp } from "./cdp_ready.ts";
import { aborted } from "./aborted.ts";
import { askToClose, untilHungUp } from "./cdp_socket.ts";
import { deadline, systemClock } from "./clock.ts";
import type {
  BrowserExit,
  BrowserHost,
  CheckResult,
  RunningBrowser,
} from "./provider.ts";

/** Longest time from a browser's start to its first answer, if the session's own limit is not shorter. */
const START_MS = 120_000;

/** Pause between two looks at where a browser will answer. */
const FIND_MS = 50;

/** Pause before a browser that has hung up but answers is called again. */
const WATCH_MS = 1_000;

/** How long a browser that has hung up may be silent before it counts as gone. */
const SILENCE_MS = 3_000;

/** Longest wait for a process that has been ended to be gone. */
const GONE_MS = 10_000;

/** How often an end that fails is tried again, and the pause before. */
const END_RETRIES = 5;
const END_PAUSE_MS = 200;

/** Said of a provider that has no check. */
const UNCHECKED: CheckResult = {
  name: "start",
  status: "warn",
  detail: "Not checked: this provider tells nothing before its first start",
};

/** What can tell when a browser is gone and why. */
export interface StartedBrowser {
  readonly exited: Promise<BrowserExit>;
}

/** The few things that differ from one infrastructure to the next. {@linkcode hostOf} makes a whole host of them. */
export interface BrowserKeeper {
  /**
   * Sets a browser going, and need not wait until it answers. What is left of a start that fails is ended.
   *
   * Returns what tells when it is gone, such as its process. Without that it is gone when it hangs up and stays silent.
   */
  start(
    spec: BrowserSpec,
    sessionId: string,
    signal: AbortSignal,
  ): Promise<StartedBrowser | Deno.ChildProcess | void>;
  /** Where a session's browser answers CDP, `http://host:port`; fails, or finds nothing, as long as that is not known. */
  find(sessionId: string): Promise<string | undefined>;
  /** Sessions of this worker of which anything is there, also what an earlier process of it has started. */
  list(): Promise<readonly string[]>;
  /**
   * Ends a browser by force, and resolves when nothing of it is left; one that has been asked to close is tidied away.
   * One that is not there is no error, and neither is `NotFound`. What fails is tried again a few times.
   */
  end(sessionId: string): Promise<void>;
  /** Whether a browser could be started. */
  check?(): Promise<readonly CheckResult[]>;
}

/** A browser that answers, and where it was asked. */
interface Ready extends CdpReady {
  readonly address: URL;
}

/**
 * Makes a host: waits until browsers answer, watches them, asks them to close before they are ended by force, and takes
 * over or ends what an earlier process left.
 */
export function hostOf(keeper: BrowserKeeper): BrowserHost {
  const closing = new AbortController();

  async function answering(
    sessionId: string,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<Ready> {
    const deadline = systemClock.monotonic() + timeoutMs;
    for (;;) {
      signal.throwIfAborted();
      const address = await addressOf(keeper, sessionId);
      const timeoutMs = deadline - systemClock.monotonic();
      if (address) {
        return { ...await waitForCdp(address, { timeoutMs, signal }), address };
      }
      if (timeoutMs < 0) throw new Error("the browser has no address");
      await systemClock.sleep(FIND_MS, signal);
    }
  }

  function running(
    sessionId: string,
    ready: Ready,
    told?: Promise<BrowserExit>,
  ): RunningBrowser {
    const exited = Promise.withResolvers<BrowserExit>();
    let isAsked = false;
    const ended = told ?? silence(ready, closing.signal);
    void ended.then(
      (exit) => exited.resolve(isAsked ? { ...exit, reason: "stopped" } : exit),
      () => {}, // The host is closed: nobody waits any more.
    );
    return {
      sessionId,
      endpoint: ready.endpoint,
      details: { browser_version: ready.product },
      exited: exited.promise,
      async stop(graceMs) {
        isAsked = true;
        await askToClose(ready.endpoint, graceMs);
        await endOf(keeper, sessionId, told);
        exited.resolve({ reason: "stopped", detail: "it was asked to end" });
      },
    };
  }

  async function start(
    spec: BrowserSpec,
    sessionId: string,
    signal: AbortSignal,
  ): Promise<RunningBrowser> {
    signal.throwIfAborted();
    const gone = new AbortController();
    let exited: Promise<BrowserExit> | undefined;
    try {
      exited = exitOf(await keeper.start(spec, sessionId, signal));
      void exited?.then(({ detail }) =>
        gone.abort(new Error(`the browser ended: ${detail}`))
      );
      const both = AbortSignal.any([signal, gone.signal]);
      const ready = await answering(sessionId, START_MS, both);
      return running(sessionId, ready, exited);
    } catch (error) {
      await endOf(keeper, sessionId, exited);
      throw error;
    }
  }

  async function adopted(
    sessionId: string,
  ): Promise<readonly RunningBrowser[]> {
    if (!await addressOf(keeper, sessionId)) return [];
    try {
      const ready = await answering(sessionId, SILENCE_MS, closing.signal);
      return [running(sessionId, ready)];
    } catch {
      return []; // It does not answer: the sweep ends it.
    }
  }

  return {
    start,
    check: () => keeper.check?.() ?? Promise.resolve([UNCHECKED]),
    async adopt() {
      const ids = await keeper.list();
      return (await Promise.all(ids.map(adopted))).flat();
    },
    async sweep(keep) {
      const ids = await keeper.list();
      const left = ids.filter((id) => !keep.has(id));
      await Promise.all(left.map((id) => endOf(keeper, id)));
      return left;
    },
    [Symbol.asyncDispose]() {
      closing.abort(new Error("The host is closed"));
      return Promise.resolve();
    },
  };
}

/** Ends a browser, and once more what it has left while it died. */
async function endOf(
  keeper: BrowserKeeper,
  sessionId: string,
  exited?: Promise<BrowserExit>,
): Promise<void> {
  await endNow(keeper, sessionId);
  if (!exited) return;
  using late = deadline(systemClock, GONE_MS);
  await Promise.race([exited, aborted(late.signal)]);
  await endNow(keeper, sessionId);
}

async function endNow(
  keeper: BrowserKeeper,
  sessionId: string,
): Promise<void> {
  for (let triesLeft = END_RETRIES;; triesLeft--) {
    try {
      return await keeper.end(sessionId);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      if (triesLeft === 0) throw error;
    }
    // What it has left may be in use for a moment.
    await systemClock.sleep(END_PAUSE_MS);
  }
}

async function addressOf(
  keeper: BrowserKeeper,
  sessionId: string,
): Promise<URL | undefined> {
  const text = await keeper.find(sessionId).catch(() => undefined);
  return URL.parse(text ?? "") ?? undefined;
}

function exitOf(
  started: StartedBrowser | Deno.ChildProcess | void,
): Promise<BrowserExit> | undefined {
  if (!started) return undefined;
  if ("exited" in started) return started.exited;
  return started.status.then(({ success, code, signal }) => ({
    reason: success ? "stopped" : "crashed",
    detail: signal ?? `exit code ${code}`,
  }));
}

/** Resolves when the browser has hung up and nobody answers in its place. @throws the signal's reason. */
async function silence(
  { endpoint, address }: Ready,
  signal: AbortSignal,
): Promise<BrowserExit> {
  const options = { timeoutMs: SILENCE_MS, signal };
  for (;;) {
    await untilHungUp(endpoint, { signal });
    const answers = await waitForCdp(address, options).then(
      () => true,
      () => false,
    );
    signal.throwIfAborted();
    if (!answers) {
      const detail = `no longer answers at ${address.host}`;
      return { reason: "crashed", detail };
    }
    await systemClock.sleep(WATCH_MS, signal);
  }
}
