import type { EgressMode, Proxy } from "../../../core/browser_spec.ts";

/** Schemes of proxies that the image's own proxy can connect through. */
export const CHAINED_SCHEMES: readonly string[] = ["http:", "socks5:"];

/**
 * Reports whether the proxy needs a user name. Chromium has no flag for it; it asks in a dialogue.
 *
 * The project's image then runs a forwarder inside the container that adds the credentials. It runs there and not in
 * the worker, so that it works with remote engines and lives as long as the browser.
 */
export function needsCredentials(proxy: Proxy | undefined): proxy is Proxy {
  return proxy?.proxy_username !== undefined ||
    proxy?.proxy_password !== undefined;
}

/** Returns why no container can use `proxy`, with any image, as the end of a sentence; undefined if one can. */
export function findUnsupportedProxy(
  proxy: Proxy | undefined,
  egress: EgressMode,
): string | undefined {
  if (proxy === undefined) return undefined;
  const { protocol } = new URL(proxy.proxy_url);
  if (egress !== "open" && !CHAINED_SCHEMES.includes(protocol)) {
    return `it supports proxy "${proxy.proxy_url}" only with egress open, expected an http:// or socks5:// proxy`;
  }
  const isPlain = egress !== "open" || protocol === "http:";
  return needsCredentials(proxy) && !isPlain
    ? `it sends credentials to http:// proxies only, expected one instead of "${proxy.proxy_url}"`
    : undefined;
}
