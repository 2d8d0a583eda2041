import type { ClaimedSession } from "../client/client.ts";
import type { BrowserSpec } from "../core/browser_spec.ts";
import { parseMemory } from "../core/schema.ts";

/** The requested browser in the server's form. Contains secrets. */
export type RequestedBrowser = Pick<
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

/** Converts a requested browser to the form that providers accept. */
export function toBrowserSpec(request: RequestedBrowser): BrowserSpec {
  const { cpu, memory } = request.resource_limits;
  const memoryBytes = memory === undefined ? undefined : parseMemory(memory);
  return {
    browser: request.browser,
    version: request.version,
    headless: request.headless,
    screen: request.screen,
    environment: request.environment,
    arguments: request.arguments,
    isolated: request.isolated,
    egress: request.egress,
    ...(request.proxy === null ? {} : { proxy: request.proxy }),
    ...(cpu === undefined ? {} : { cpu }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
  };
}

/** Returns `text`, such as a browser's output, with every secret of the request replaced by "...". */
export function redactSecrets(
  text: string,
  request: Pick<RequestedBrowser, "proxy" | "environment">,
): string {
  const secrets = [
    request.proxy?.proxy_password ?? "",
    ...Object.values(request.environment),
  ].filter((secret) => secret.length > 2);
  return secrets.reduce(
    (rest, secret) => rest.replaceAll(secret, "\u2026"),
    text,
  );
}
