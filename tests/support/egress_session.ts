import type { BrowserSpec } from "../../src/core/browser_spec.ts";
import type { EgressPolicy } from "../../src/core/egress.ts";
import type { RunningBrowser } from "../../src/core/provider.ts";
import { browserSpec } from "./browser_spec.ts";
import { evaluate, testDockerHost } from "./docker.ts";

/** Text of a rejected page. */
export const REJECTED: RegExp =
  /Cannot connect to .*: it is .* egress of work pool "crawl <1>" is (no_private|none), expected an entry of the pool's egress_allow/;

/** Starts a browser of a session with `egress` in one of the egress networks. */
export async function startIn(
  network: string,
  egress: Partial<EgressPolicy>,
  fields: Partial<BrowserSpec> = {},
): Promise<Session> {
  const test = await testDockerHost({ network });
  const policy = { mode: "no_private", allow: [], pool: "crawl <1>" } as const;
  const browser = await test.host.start(
    browserSpec({ ...fields, egress: { ...policy, ...egress } }),
    crypto.randomUUID(),
    new AbortController().signal,
  ).catch(async (error) => {
    await test[Symbol.asyncDispose]();
    throw error;
  });
  return {
    browser,
    containerId: browser.details.container_id ?? "",
    read: async (url) =>
      String(
        await evaluate(browser.endpoint, url, "document.body.innerText"),
      ),
    [Symbol.asyncDispose]: () => test[Symbol.asyncDispose](),
  };
}

/** The browser of a session. Disposal ends it. */
export interface Session extends AsyncDisposable {
  readonly browser: RunningBrowser;
  readonly containerId: string;
  /** Returns the text of the page at `url`. */
  read(url: string): Promise<string>;
}
