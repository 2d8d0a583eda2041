import type { BrowserSpec } from "../../../core/browser_spec.ts";
import { renderChromiumFlags } from "../../kit/chromium_flags.ts";
import type { DockerConfig } from "../config.ts";
import { EGRESS_PROXY, limitsEgress } from "../network/egress.ts";
import { needsCredentials } from "../network/unsupported_proxy.ts";

/**
 * Arguments of the browser, which are the container's command. Never a secret.
 *
 * The project's entrypoint adds what depends on the container: port, profile, sandbox, forwarder of a proxy.
 */
export function renderBrowserArguments(
  spec: BrowserSpec,
  config: Pick<DockerConfig, "arguments" | "sandbox">,
  isProjectImage: boolean,
): string[] {
  const noSandbox = !isProjectImage && config.sandbox !== "on";
  const isLimited = limitsEgress(spec);
  return [
    ...renderChromiumFlags(spec, {
      ...(isLimited
        ? { proxyServer: EGRESS_PROXY }
        : needsCredentials(spec.proxy) && { proxyServer: null }),
      more: [
        // Without this, requests for the container's loopback would bypass the proxy.
        ...(isLimited ? ["--proxy-bypass-list=<-loopback>"] : []),
        ...(noSandbox ? ["--no-sandbox"] : []),
        ...config.arguments,
      ],
    }),
    // Without a page some clients wait for one.
    "about:blank",
  ];
}
