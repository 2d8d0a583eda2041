import type { EgressMode, Proxy } from "../../core/browser_spec.ts";

/** Proxies that the image's own proxy can go through. */
export const CHAINED: readonly string[] = ["http:", "socks5:"];

/**
 * Whether the proxy asks for a user name, which Chromium takes from nobody but a person at a dialogue.
 *
 * The project's image then runs a forwarder of its own inside the container, which adds the credentials. It is there,
 * and not in the worker, so that it works with remote engines and lives as long as the browser does.
 */
export function needsCredentials(proxy: Proxy | undefined): proxy is Proxy {
  return proxy?.proxy_username !== undefined ||
    proxy?.proxy_password !== undefined;
}

/** Why no container can use `proxy`, whatever its image: the end of a sentence; undefined if one can. */
export function unsupportedProxy(
  proxy: Proxy | undefined,
  egress: EgressMode,
): string | undefined {
  if (proxy === undefined) return undefined;
  const { protocol } = new URL(proxy.proxy_url);
  if (egress !== "open" && !CHAINED.includes(protocol)) {
    return `it reaches proxy "${proxy.proxy_url}" only with an open egress, expected an http:// or socks5:// proxy`;
  }
  const isPlain = egress !== "open" || protocol === "http:";
  return needsCredentials(proxy) && !isPlain
    ? `it gives credentials to http:// proxies only, expected one of these instead of "${proxy.proxy_url}"`
    : undefined;
}
