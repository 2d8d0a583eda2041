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

/** A machine, or as good as one, on which nothing of the provider runs yet. Disposal ends what tests left. */
export interface Ground extends AsyncDisposable {
  /** Grid of this ground; others' hosts may be opened on it too. */
  readonly gridId: string;
  /** Opens the provider on it, as an earlier or later process of `owner`. */
  openHost(owner: Owner): Promise<BrowserHost>;
  /** Lists the processes, containers and folders of all owners, independently of the provider. */
  left(): Promise<readonly string[]>;
  /** Ends a browser as an accident would, without the provider. */
  kill(browser: RunningBrowser): Promise<void>;
  /** Stops a browser from doing anything, so that it does not hear that it is asked to end. */
  freeze(browser: RunningBrowser): Promise<void>;
  /** Connection of hosts to their infrastructure; absent where browsers run on the machine itself. */
  readonly way?: Way;
  /** Command lines of everything that runs for a browser, as any user of the machine sees them. */
  commandLines(browser: RunningBrowser): Promise<string>;
}

/** A way to an infrastructure that can fail. */
export interface Way {
  /** Breaks every connection and refuses new ones. */
  cut(): Promise<void>;
  /** Takes connections and passes nothing on. */
  stall(): void;
  /** Passes everything on so much later. */
  slow(ms: number): void;
  /** Works again. */
  mend(): Promise<void>;
}

/** A provider as the contract needs it. */
export interface ProviderUnderTest {
  open(): Promise<Ground>;
  /** Returns a browser specification: headless and without limits, except for the arguments. */
  spec(given?: Partial<BrowserSpec>): BrowserSpec;
  /** Why it cannot be tested here. */
  readonly skip?: string | undefined;
}

/** A ground with a host of `worker-1` on it. */
export interface Setting extends AsyncDisposable {
  readonly ground: Ground;
  readonly host: BrowserHost;
  readonly owner: Owner;
}

/** Opens a ground of `provider` and a host on it. */
export async function set(provider: ProviderUnderTest): Promise<Setting> {
  const ground = await provider.open();
  const owner = { gridId: ground.gridId, workerId: "worker-1" };
  const host = await ground.openHost(owner);
  return {
    ground,
    host,
    owner,
    [Symbol.asyncDispose]: () => ground[Symbol.asyncDispose](),
  };
}

/** Declares a test of the provider `name`, which is skipped with a reason if it cannot be tested here. */
export function providerTest(
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

/** A client that hangs up at the end of its scope. */
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

/** Waits for a start that is aborted: it is refused with the reason, or was fast enough and is stopped. */
export async function endOfStart(
  starting: Promise<RunningBrowser>,
): Promise<void> {
  await starting.then(
    (browser) => browser.stop(0),
    (error: unknown) => {
      assert.match(String(error), /no longer wanted/);
    },
  );
}

/** Waits until nothing is left, for a while. */
export async function nothingLeft(ground: Ground): Promise<void> {
  await until(async () => (await ground.left()).length === 0).catch(() => {});
  assert.deepEqual(await ground.left(), []);
}

/** Waits until it holds, for a while. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = systemClock.monotonic() + PATIENCE_MS;
  while (!await holds()) {
    assert.ok(systemClock.monotonic() < deadline, "did not come about");
    await systemClock.sleep(5);
  }
}
