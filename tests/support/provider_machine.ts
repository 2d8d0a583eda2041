/**
 * The environment of every provider's tests: a machine, hosts on it, and functions that inspect it independently of the
 * provider.
 *
 * @module
 */
import assert from "node:assert/strict";
import puppeteer, { type Browser as Client } from "puppeteer-core";
import type { BrowserSpec } from "../../src/core/browser_spec.ts";
import { systemClock } from "../../src/async/clock.ts";
import type { BrowserHost, RunningBrowser } from "../../src/core/provider.ts";

/** Timeout of expected changes. */
const PATIENCE_MS = 10_000;

/** A signal that is never aborted. */
export const NEVER: AbortSignal = new AbortController().signal;

/** Timeout for browsers to end on request. */
export const GRACE_MS = 2_000;

/** A grid and a worker of it. */
export interface Owner {
  readonly gridId: string;
  readonly workerId: string;
}

/** A machine, real or simulated, on which the provider runs nothing yet. Disposal ends the resources of failed tests. */
export interface TestMachine extends AsyncDisposable {
  /** Grid of this machine. Hosts of other grids may also be opened on it. */
  readonly gridId: string;
  /** Opens the provider on it, as an earlier or later process of `owner`. */
  openHost(owner: Owner): Promise<BrowserHost>;
  /** Lists the processes, containers and folders of all owners, independently of the provider. */
  listResources(): Promise<readonly string[]>;
  /** Kills a browser without the provider, like an accident. */
  kill(browser: RunningBrowser): Promise<void>;
  /** Stops the processes of a browser, so that it does not react to a request to end. */
  freeze(browser: RunningBrowser): Promise<void>;
  /** Connection of hosts to their infrastructure; absent if browsers run on the machine itself. */
  readonly connection?: FaultyConnection;
  /** Returns the command lines of a browser's processes, which any user of the machine can read. */
  commandLines(browser: RunningBrowser): Promise<string>;
}

/** A connection to an infrastructure, with faults on demand. */
export interface FaultyConnection {
  /** Breaks every connection and rejects new ones. */
  cut(): Promise<void>;
  /** Accepts connections and forwards nothing. */
  stall(): void;
  /** Delays all data by `ms`. */
  slow(ms: number): void;
  /** Ends all faults. */
  mend(): Promise<void>;
}

/** A provider, and the machine on which it is tested. */
export interface ProviderUnderTest {
  open(): Promise<TestMachine>;
  /** Returns a browser specification: headless and without limits, except for `overrides`. */
  spec(overrides?: Partial<BrowserSpec>): BrowserSpec;
  /** Number of random moments at which a start or stop is interrupted. @default {5} */
  readonly interruptions?: number;
  /** Reason for which the provider cannot be tested on this machine. */
  readonly skip?: string | undefined;
}

/** A machine with a host of `worker-1`. */
export interface ProviderScene extends AsyncDisposable {
  readonly machine: TestMachine;
  readonly host: BrowserHost;
  readonly owner: Owner;
}

/** Opens a machine of `provider` and a host on it. */
export async function openScene(
  provider: ProviderUnderTest,
): Promise<ProviderScene> {
  const machine = await provider.open();
  const owner = { gridId: machine.gridId, workerId: "worker-1" };
  const host = await machine.openHost(owner);
  return {
    machine,
    host,
    owner,
    [Symbol.asyncDispose]: () => machine[Symbol.asyncDispose](),
  };
}

/** Declares a test of the provider `name`, which is skipped with a reason if it cannot be tested here. */
export function declareProviderTest(
  title: string,
  { skip }: ProviderUnderTest,
  fn: () => Promise<void>,
): void {
  if (skip !== undefined) {
    // deno-lint-ignore no-console -- the reason of a skipped test is its result
    console.log(`skipped: ${title}: ${skip}`);
  }
  Deno.test({ name: title, fn, ignore: skip !== undefined });
}

/** Connects a client, which disconnects at the end of its scope. */
export async function connectTo(
  { endpoint }: Pick<RunningBrowser, "endpoint">,
): Promise<Client> {
  const client = await puppeteer.connect({
    browserWSEndpoint: endpoint.href,
    defaultViewport: null,
  });
  return Object.assign(client, {
    [Symbol.asyncDispose]: () => client.disconnect(),
  });
}

/** Waits for an aborted start, which rejects with the reason or was faster than the abort. Stops the browser then. */
export async function awaitAbortedStart(
  starting: Promise<RunningBrowser>,
): Promise<void> {
  await starting.then(
    (browser) => browser.stop(0),
    (error: unknown) => {
      assert.match(String(error), /no longer wanted/);
    },
  );
}

/** Waits until no resources are left. @throws After 10 s. */
export async function waitForNoResources(machine: TestMachine): Promise<void> {
  await waitUntil(async () => (await machine.listResources()).length === 0)
    .catch(() => {});
  assert.deepEqual(await machine.listResources(), []);
}

/** Waits until a condition holds. @throws After 10 s. */
export async function waitUntil(holds: () => Promise<boolean>): Promise<void> {
  const deadline = systemClock.monotonic() + PATIENCE_MS;
  while (!await holds()) {
    assert.ok(
      systemClock.monotonic() < deadline,
      "the condition does not hold",
    );
    await systemClock.sleep(5);
  }
}
