import type { Proxy } from "../../../core/browser_spec.ts";
import type { EgressMode } from "../../../core/egress.ts";
import { needsCredentials } from "../needs_credentials.ts";

/** Schemes of the proxies that the image's own proxy can connect through. */
export const CHAINED_SCHEMES: readonly string[] = ["http:", "socks5:"];

/** Returns why no container of any image can use `proxy`, as the end of a sentence; undefined if one can. */
export function findUnsupportedProxy(
  proxy: Proxy | undefined,
  egress: EgressMode,
): string | undefined {
  if (proxy === undefined) return undefined;
  const { protocol } = new URL(proxy.proxy_url);
  if (egress !== "open" && !CHAINED_SCHEMES.includes(protocol)) {
    return `it supports proxy "${proxy.proxy_url}" only with egress open, expected an http:// or socks5:// proxy`;
  }
  const isSupported = egress !== "open" || protocol === "http:";
  return needsCredentials(proxy) && !isSupported
    ? `it sends credentials to http:// proxies only, expected one instead of "${proxy.proxy_url}"`
    : undefined;
}
