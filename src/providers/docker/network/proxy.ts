import type { BrowserSpec } from "../../../core/browser_spec.ts";
import { limitsEgress } from "../../kit/image/egress.ts";
import { needsCredentials } from "../../kit/needs_credentials.ts";

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
