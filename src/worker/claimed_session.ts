import type { ClaimedSession } from "../client/client.ts";
import { type BrowserSpec, parseMemory } from "../core/browser_spec.ts";

/** What the server says of a browser that is to be started; has secrets. */
export type BrowserRequest = Pick<
  ClaimedSession,
  | "browser"
  | "version"
  | "headless"
  | "screen"
  | "proxy"
  | "resource_limits"
  | "environment"
  | "arguments"
  | "isolated"
  | "egress"
>;

/** What the browser must be like. */
export function toBrowserSpec(claimed: BrowserRequest): BrowserSpec {
  const { cpu, memory } = claimed.resource_limits;
  const memoryBytes = memory === undefined ? undefined : parseMemory(memory);
  return {
    browser: claimed.browser,
    version: claimed.version,
    headless: claimed.headless,
    screen: claimed.screen,
    environment: claimed.environment,
    arguments: claimed.arguments,
    isolated: claimed.isolated,
    egress: claimed.egress,
    ...(claimed.proxy === null ? {} : { proxy: claimed.proxy }),
    ...(cpu === undefined ? {} : { cpu }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
  };
}

/** The text with every secret of the browser blotted out: its output may have them. */
export function redactSecrets(
  text: string,
  claimed: Pick<BrowserRequest, "proxy" | "environment">,
): string {
  const secrets = [
    claimed.proxy?.proxy_password ?? "",
    ...Object.values(claimed.environment),
  ].filter((secret) => secret.length > 2);
  return secrets.reduce((rest, secret) => rest.replaceAll(secret, "…"), text);
}
