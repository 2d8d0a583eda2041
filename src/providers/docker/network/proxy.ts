import type { BrowserSpec, Proxy } from "../../../core/browser_spec.ts";
import { limitsEgress } from "./egress.ts";
import { needsCredentials } from "./unsupported_proxy.ts";

/** Returns the variables of the image's forwarder. They contain the credentials. */
export function createForwarderVariables(proxy: Proxy): Record<string, string> {
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

/** Returns why containers of an image cannot use the proxy of `spec`; undefined if they can. */
export function findProxyProblem(
  spec: BrowserSpec,
  isProjectImage: boolean,
): string | undefined {
  const { proxy } = spec;
  // If egress is limited, the image's own proxy connects through this one.
  if (!needsCredentials(proxy) || limitsEgress(spec)) return undefined;
  const { protocol } = new URL(proxy.proxy_url);
  if (protocol !== "http:") {
    return `Cannot use proxy "${proxy.proxy_url}" with a user name: docker pools send credentials to http:// proxies only`;
  }
  if (!isProjectImage) {
    return `Cannot use proxy "${proxy.proxy_url}" with a user name: expected an image built by "browsergrid docker build-image"`;
  }
  return undefined;
}
