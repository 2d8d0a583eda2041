import type { ClaimedSession } from "../client/client.ts";
import { type BrowserSpec, parseMemory } from "../core/browser_spec.ts";

/** What the claimed session's browser must be like. */
export function specOf(claimed: ClaimedSession): BrowserSpec {
  const { cpu, memory } = claimed.resource_limits;
  const memoryBytes = memory === undefined ? undefined : parseMemory(memory);
  return {
    browser: claimed.browser,
    version: claimed.version,
    headless: claimed.headless,
    screen: claimed.screen,
    environment: claimed.environment,
    arguments: claimed.arguments,
    ...(claimed.proxy === null ? {} : { proxy: claimed.proxy }),
    ...(cpu === undefined ? {} : { cpu }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
  };
}

/** The text with every secret of the session blotted out: a browser's output may have them. */
export function withoutSecrets(text: string, claimed: ClaimedSession): string {
  const secrets = [
    claimed.proxy?.proxy_password ?? "",
    ...Object.values(claimed.environment),
  ].filter((secret) => secret.length > 2);
  return secrets.reduce((rest, secret) => rest.replaceAll(secret, "…"), text);
}
