import type {
  BrowserSpec,
  EgressMode,
  Proxy,
} from "../../core/browser_spec.ts";
import { CHAINED, limitsEgress } from "./egress.ts";

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

/** The settings of the image's forwarder. Secret. */
export function forwarderVariables(proxy: Proxy): Record<string, string> {
  const { hostname, port } = new URL(proxy.proxy_url);
  const credentials = `${proxy.proxy_username ?? ""}:${
    proxy.proxy_password ?? ""
  }`;
  return {
    BROWSERGRID_PROXY_ADDRESS: `${hostname}:${port || "80"}`,
    BROWSERGRID_PROXY_CREDENTIALS: new TextEncoder().encode(credentials)
      .toBase64(),
  };
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

/** Why the proxy of `spec` cannot be used with an image; undefined if it can. */
export function proxyProblem(
  spec: BrowserSpec,
  isOwnImage: boolean,
): string | undefined {
  const { proxy } = spec;
  // With a limited egress the proxy is reached through the image's own.
  if (!needsCredentials(proxy) || limitsEgress(spec)) return undefined;
  const { protocol } = new URL(proxy.proxy_url);
  if (protocol !== "http:") {
    return `Cannot use proxy "${proxy.proxy_url}" with a user name: docker pools give credentials to http:// proxies only`;
  }
  if (!isOwnImage) {
    return `Cannot use proxy "${proxy.proxy_url}" with a user name: expected an image made by "browsergrid docker build-image"`;
  }
  return undefined;
}
