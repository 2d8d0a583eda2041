import { local } from "../../src/providers/local/provider.ts";
import { browserSpec } from "../support/browser_spec.ts";

/** A browser of the local provider without a grid. */
export interface LocalBrowser extends AsyncDisposable {
  readonly endpoint: URL;
}

/** Starts a real Chromium as the local provider does; disposal ends it. */
export async function startLocalBrowser(): Promise<LocalBrowser> {
  await using stack = new AsyncDisposableStack();
  const dataDir = await Deno.makeTempDir({ prefix: "browsergrid-bench-" });
  stack.defer(() => Deno.remove(dataDir, { recursive: true }));
  const host = stack.use(
    await local.open(local.configSchema.parse({}), {
      gridId: "bench",
      workerId: "bench",
      dataDir,
    }),
  );
  const never = new AbortController().signal;
  const browser = await host.start(browserSpec(), "bench", never);
  stack.defer(() => browser.stop(1_000));
  const owned = stack.move();
  return {
    endpoint: browser.endpoint,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
