/**
 * Arguments and variables of the project's browser image, for every provider that starts it. The head of
 * `docker/image/entrypoint.sh` describes the variables.
 *
 * @module
 */
import type { BrowserSpec } from "../../../core/browser_spec.ts";
import {
  createDisplayVariables,
  createForwarderVariables,
} from "../browser_image.ts";
import { renderChromiumFlags } from "../chromium_flags.ts";
import { needsCredentials } from "../needs_credentials.ts";
import { createEgressVariables, EGRESS_PROXY, limitsEgress } from "./egress.ts";

/** Options of the browser that are the same in each session of a pool. */
export interface ImageOptions {
  /** Chromium's own sandbox. */
  readonly sandbox: "auto" | "on" | "off";
  /** Additional arguments of the pool. */
  readonly arguments: readonly string[];
  /** True for the project's image, whose entrypoint configures sandbox, screen and proxy. */
  readonly isProjectImage: boolean;
}

/**
 * Returns the arguments of the browser, which are the container's command and contain no secret.
 *
 * The project's entrypoint adds the ones that depend on the container: port, profile, sandbox and forwarder.
 */
export function renderImageArguments(
  spec: BrowserSpec,
  { sandbox, arguments: others, isProjectImage }: ImageOptions,
): string[] {
  const noSandbox = !isProjectImage && sandbox !== "on";
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
        ...others,
      ],
    }),
    // Some clients wait for a page.
    "about:blank",
  ];
}

/** Names of the variables of {@linkcode createImageVariables} that contain no secret. */
export const PLAIN_VARIABLES: ReadonlySet<string> = new Set([
  "BROWSERGRID_SANDBOX",
  "BROWSERGRID_DISPLAY",
  "BROWSERGRID_DPI",
  "BROWSERGRID_PROXY_ADDRESS",
  "BROWSERGRID_EGRESS",
  "BROWSERGRID_EGRESS_POOL",
  "BROWSERGRID_EGRESS_DENY",
  "BROWSERGRID_EGRESS_ALLOW",
  "BROWSERGRID_EGRESS_UPSTREAM",
]);

/**
 * Capabilities that the entrypoint needs to limit the network and then switch to the browser's user. It drops all of
 * them.
 */
export const EGRESS_CAPABILITIES = [
  "NET_ADMIN",
  // The engine's init needs it to signal a process of another user.
  "KILL",
  "SETUID",
  "SETGID",
  "SETPCAP",
] as const;

/**
 * Returns the variables of a container of the image. Those that are not in {@linkcode PLAIN_VARIABLES} are secret.
 *
 * @param gridAddresses Addresses of the grid, which a session with limited egress cannot reach.
 */
export function createImageVariables(
  spec: BrowserSpec,
  { sandbox, isProjectImage }: ImageOptions,
  gridAddresses: readonly string[],
): Record<string, string> {
  const { environment, proxy } = spec;
  if (!isProjectImage) return { ...environment };
  return {
    ...environment,
    BROWSERGRID_SANDBOX: sandbox,
    ...createDisplayVariables(spec),
    ...(limitsEgress(spec)
      ? createEgressVariables(spec, gridAddresses)
      : needsCredentials(proxy) && createForwarderVariables(proxy)),
  };
}
