import type { BrowserKeeper } from "./simple_host.ts";
import {
  addressOf,
  answering,
  endOf,
  exitOf,
  keptBrowser,
  SILENCE_MS,
} from "./attached_browser.ts";
import type {
  BrowserExit,
  BrowserHost,
  CheckResult,
  RunningBrowser,
} from "../../core/provider.ts";
import type { BrowserSpec } from "../../core/browser_spec.ts";

/** Longest time from a browser's start to its first answer, if the session's own limit is not shorter. */
const START_MS = 120_000;

/** Said of a provider that has no check. */
const UNCHECKED: CheckResult = {
  name: "start",
  status: "warn",
  detail: "Not checked: this provider tells nothing before its first start",
};

/**
 * Makes a host: waits until browsers answer, watches them, asks them to close before they are ended by force, and takes
 * over or ends what an earlier process left.
 */
export function hostOf(keeper: BrowserKeeper): BrowserHost {
  const closing = new AbortController();
  return {
    start: (spec, sessionId, signal) =>
      start(keeper, { spec, sessionId, signal, closing: closing.signal }),
    check: () => keeper.check?.() ?? Promise.resolve([UNCHECKED]),
    async adopt() {
      const ids = await keeper.list();
      const adopted = ids.map((id) => adopt(keeper, id, closing.signal));
      return (await Promise.all(adopted)).flat();
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

interface Start {
  readonly spec: BrowserSpec;
  readonly sessionId: string;
  readonly signal: AbortSignal;
  readonly closing: AbortSignal;
}

async function start(
  keeper: BrowserKeeper,
  { spec, sessionId, signal, closing }: Start,
): Promise<RunningBrowser> {
  signal.throwIfAborted();
  const gone = new AbortController();
  let told: Promise<BrowserExit> | undefined;
  try {
    told = exitOf(await keeper.start(spec, sessionId, signal));
    void told?.then(({ detail }) =>
      gone.abort(new Error(`the browser ended: ${detail}`))
    );
    const ready = await answering(keeper, sessionId, {
      waitMs: START_MS,
      signal: AbortSignal.any([signal, gone.signal]),
    });
    return keptBrowser(keeper, ready, { told, closing });
  } catch (error) {
    await endOf(keeper, sessionId, told);
    throw error;
  }
}

/** Nothing, if it does not answer: the sweep ends it then. */
async function adopt(
  keeper: BrowserKeeper,
  sessionId: string,
  closing: AbortSignal,
): Promise<readonly RunningBrowser[]> {
  if (!await addressOf(keeper, sessionId)) return [];
  try {
    const options = { waitMs: SILENCE_MS, signal: closing };
    const ready = await answering(keeper, sessionId, options);
    return [keptBrowser(keeper, ready, { closing })];
  } catch {
    return [];
  }
}
