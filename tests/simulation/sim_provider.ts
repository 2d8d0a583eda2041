import { z } from "@hono/zod-openapi";
import type {
  BrowserHost,
  Provider,
  RunningBrowser,
} from "../../src/core/provider.ts";
import type { Machine, MachineBrowser } from "./machine.ts";
import type { Process } from "./process.ts";

/** Longest time that a host tries to end a browser while its engine is away. */
const STOP_PATIENCE_MS = 60_000;

/** Time of the engine to respond to a query. */
const LOOK_MS = 10;

/** Name of the provider of every pool in the simulation. */
export const PROVIDER = "simulated";

/** The provider as a server knows it: it starts nothing there. */
export function declaredProvider(): Provider {
  return {
    ...DECLARATION,
    open: () => Promise.reject(new TypeError("A server opens no provider")),
  };
}

/** The provider as a worker's process uses it on its machine. */
export function providerOn(machine: Machine, process: Process): Provider {
  return {
    ...DECLARATION,
    open: () => Promise.resolve(hostOn(machine, process)),
  };
}

const DECLARATION = {
  name: PROVIDER,
  displayName: "Simulated",
  description: "Browsers of a simulation",
  configSchema: z.strictObject({}),
  browsers: () => [{ browser: "chrome" as const, versions: ["latest"] }],
  deployCommand: () => "true",
};

function hostOn(machine: Machine, process: Process): BrowserHost {
  /** An answer of the engine; while it is away there is none, or a refusal. */
  function ask<T>(answer: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      process.after(LOOK_MS, () => {
        if (machine.engineIsDown) reject(new Error("The engine is away"));
        else resolve(answer());
      });
    });
  }
  return {
    check: () => Promise.resolve([]),
    ping: () => ask(() => {}),
    async start(_spec, sessionId, signal) {
      signal.throwIfAborted();
      await ask(() => {});
      signal.throwIfAborted();
      // What an earlier process left of the same session: a sweep would take it for this one.
      await endAll(machine, process, ({ sessionId: id }) => id === sessionId);
      signal.throwIfAborted();
      return await begin(machine, process, sessionId, signal);
    },
    async adopt() {
      const found = await ask(() =>
        [...machine.browsers].filter(({ phase }) => phase === "running")
      );
      return found.map((browser) => {
        browser.owner = process;
        browser.isAdopted = true;
        return createHandle(machine, process, browser);
      });
    },
    async sweep(keep) {
      const found = await ask(() => [...machine.browsers]);
      const doomed = new Set(
        found.filter(({ sessionId }) => !keep.has(sessionId)),
      );
      await endAll(machine, process, (browser) => doomed.has(browser));
      return [...doomed].map(({ sessionId }) => sessionId);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function begin(
  machine: Machine,
  process: Process,
  sessionId: string,
  signal: AbortSignal,
): Promise<RunningBrowser> {
  return new Promise((resolve, reject) => {
    const onAbort = () =>
      machine.stop(
        browser,
        0,
        () => process.deliver(() => reject(signal.reason)),
      );
    const browser = machine.begin(
      sessionId,
      process,
      (outcome) =>
        process.deliver(() => {
          if (signal.aborted) return;
          signal.removeEventListener("abort", onAbort);
          if (outcome === "running") {
            resolve(createHandle(machine, process, browser));
          } else reject(new Error("Cannot start the browser: exit code 1"));
        }),
    );
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

/** The browser as the process has it in hand. */
function createHandle(
  machine: Machine,
  process: Process,
  browser: MachineBrowser,
): RunningBrowser {
  const { sessionId } = browser;
  return {
    sessionId,
    endpoint: new URL(`ws://127.0.0.1:1/devtools/browser/${sessionId}`),
    details: { machine: machine.name },
    exited: new Promise((resolve) =>
      browser.whenGone((exit) => process.deliver(() => resolve(exit)))
    ),
    stop: (graceMs) => stop(machine, process, browser, graceMs),
    logs: () => Promise.resolve(""),
  };
}

function stop(
  machine: Machine,
  process: Process,
  browser: MachineBrowser,
  graceMs: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const patience = process.after(
      STOP_PATIENCE_MS,
      () => reject(new Error("Cannot remove the browser: the engine is away")),
    );
    machine.stop(browser, graceMs, () =>
      process.deliver(() => {
        patience.cancel();
        resolve();
      }));
  });
}

async function endAll(
  machine: Machine,
  process: Process,
  which: (browser: MachineBrowser) => boolean,
): Promise<void> {
  const doomed = [...machine.browsers].filter(which);
  await Promise.all(
    doomed.map((browser) => stop(machine, process, browser, 0)),
  );
}
