import type { Proxy } from "../../core/browser_spec.ts";

/**
 * Returns why browsers that a worker starts as local ones cannot use `proxy`, as the end of a sentence; undefined if
 * they can.
 */
export function findUnsupportedLocalProxy(
  proxy: Proxy | undefined,
): string | undefined {
  const isSocks4 = proxy?.proxy_url.startsWith("socks4:") ?? false;
  if (isSocks4 && proxy?.proxy_username !== undefined) {
    return `it sends no user name to socks4 proxies such as "${proxy.proxy_url}", expected socks5, http or https`;
  }
  return proxy?.proxy_password !== undefined &&
      proxy.proxy_username === undefined
    ? `it sends no password without a user name to proxy "${proxy.proxy_url}", expected proxy_username`
    : undefined;
}
