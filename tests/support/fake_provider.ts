import { z } from "@hono/zod-openapi";
import type { BrowserSpec } from "../../src/core/browser_spec.ts";
import type {
  BrowserExit,
  BrowserStats,
  Provider,
  RunningBrowser,
} from "../../src/core/provider.ts";

/** A browser that is only an entry in a list. */
export interface FakeBrowser extends RunningBrowser {
  readonly spec: BrowserSpec;
  /** Ends it from outside, as a crash does. */
  die(detail: string): void;
}

/** Knobs of the fake provider; a test may turn them at any time. */
export interface FakeKnobs {
  /** Why the infrastructure does not answer `ping()`. Starts, stops and the rest go on unless other knobs say so. */
  down?: string | undefined;
  /** Awaited by every `prepare()`, until its signal is aborted. */
  prepareHold?: Promise<void> | undefined;
  /** Errors of the next calls of `prepare()`. */
  prepareError?: string | undefined;
  /** Awaited by every start before its browser is there, until its signal is aborted. */
  hold?: Promise<void> | undefined;
  /** Errors of the next starts. */
  startError?: string | undefined;
  /** Starts do not hear their signal: one that is held comes about even when it is aborted. */
  deaf?: boolean;
  /** Awaited by every `stop()` before its browser is gone. */
  stopHold?: Promise<void> | undefined;
  /** Endpoint of the next browsers. @default An address where nothing listens. */
  endpoint?: URL | undefined;
  /** Revision of a browser that would be started now. @default {""} */
  revision?: string | undefined;
  /** Result of a running browser's probes; by default they succeed. */
  probe?: ((signal: AbortSignal) => Promise<void>) | undefined;
  /** Measurements of the browsers. */
  stats?: BrowserStats | undefined;
  /** Browsers of an earlier process to adopt. */
  leftovers: readonly RunningBrowser[];
}

/** A provider without browsers, to test what is around them. */
export interface FakeProvider extends Provider {
  readonly knobs: FakeKnobs;
  /** Browsers that run now, by session id. */
  readonly running: ReadonlyMap<string, FakeBrowser>;
  /** Most browsers that were there at once, starting ones included. */
  mostAtOnce(): number;
  /** Argument of each call of `prepare()`; undefined for the first start. */
  readonly prepared: readonly (BrowserSpec | undefined)[];
  /** Ids that the last sweep kept. */
  kept(): ReadonlySet<string> | undefined;
  /** The grace period of each `stop()`. */
  readonly graces: readonly number[];
  /** Session ids that were swept. */
  readonly swept: readonly string[];
}

/** Makes a provider named "fake". */
export function createFakeProvider(): FakeProvider {
  const running = new Map<string, FakeBrowser>();
  const swept: string[] = [];
  const graces: number[] = [];
  const prepared: (BrowserSpec | undefined)[] = [];
  const knobs: FakeKnobs = { leftovers: [] };
  let kept: ReadonlySet<string> | undefined;
  let now = 0;
  let most = 0;
  return {
    name: "fake",
    displayName: "Fake",
    description: "No browsers at all",
    configSchema: z.strictObject({}),
    browsers: () => [{ browser: "chrome", versions: ["latest"] }],
    deployCommand: () => "true",
    knobs,
    running,
    swept,
    graces,
    prepared,
    mostAtOnce: () => most,
    kept: () => kept,
    open: () =>
      Promise.resolve({
        check: () => Promise.resolve([]),
        ping: () =>
          knobs.down === undefined
            ? Promise.resolve()
            : Promise.reject(new Error(knobs.down)),
        async prepare(signal, spec) {
          prepared.push(spec);
          await Promise.race([knobs.prepareHold, rejectedBy(signal)]);
          signal.throwIfAborted();
          if (knobs.prepareError) throw new Error(knobs.prepareError);
        },
        revision: () => Promise.resolve(knobs.revision ?? ""),
        async start(spec, sessionId, given) {
          const signal = knobs.deaf ? new AbortController().signal : given;
          most = Math.max(most, ++now);
          try {
            await Promise.race([knobs.hold, rejectedBy(signal)]);
            signal.throwIfAborted();
            if (knobs.startError) throw new Error(knobs.startError);
          } catch (error) {
            now--;
            throw error;
          }
          const browser = createFakeBrowser(spec, sessionId, () => {
            now--;
            running.delete(sessionId);
          });
          const held = {
            ...browser,
            endpoint: knobs.endpoint ?? browser.endpoint,
            stats: () => Promise.resolve(knobs.stats ?? {}),
            probe: async (signal: AbortSignal) => await knobs.probe?.(signal),
            async stop(graceMs: number) {
              graces.push(graceMs);
              await knobs.stopHold;
              await browser.stop(graceMs);
            },
          };
          running.set(sessionId, held);
          return held;
        },
        adopt: () => Promise.resolve(knobs.leftovers),
        async sweep(keep) {
          kept = keep;
          const left = knobs.leftovers.filter(({ sessionId }) =>
            !keep.has(sessionId)
          );
          for (const browser of left) {
            await browser.stop(0);
            swept.push(browser.sessionId);
          }
          knobs.leftovers = [];
          return left.map(({ sessionId }) => sessionId);
        },
        [Symbol.asyncDispose]: () => Promise.resolve(),
      }),
  };
}

/** Creates a browser; `onGone` is called once. */
export function createFakeBrowser(
  spec: BrowserSpec,
  sessionId: string,
  onGone: () => void = () => {},
): FakeBrowser {
  const exited = Promise.withResolvers<BrowserExit>();
  let isGone = false;
  function end(exit: BrowserExit): void {
    if (isGone) return;
    isGone = true;
    onGone();
    exited.resolve(exit);
  }
  return {
    spec,
    sessionId,
    endpoint: new URL(`ws://127.0.0.1:1/devtools/browser/${sessionId}`),
    details: {},
    exited: exited.promise,
    die: (detail) => end({ reason: "crashed", detail }),
    stop() {
      end({ reason: "stopped", detail: "it was asked to" });
      return Promise.resolve();
    },
  };
}

function rejectedBy(signal: AbortSignal): Promise<void> | undefined {
  return signal.aborted ? Promise.reject(signal.reason) : new Promise(
    (_, reject) =>
      signal.addEventListener("abort", () => reject(signal.reason), {
        once: true,
      }),
  );
}
