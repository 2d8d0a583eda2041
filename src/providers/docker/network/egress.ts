import type { BrowserSpec } from "../../../core/browser_spec.ts";
import { NON_PUBLIC_NETWORKS } from "../../kit/egress/non_public_networks.ts";
import type { LocalImage } from "../images/image.ts";
import { CHAINED_SCHEMES } from "./unsupported_proxy.ts";

const EVERYTHING: readonly string[] = ["0.0.0.0/0", "::/0"];

/** Address of the image's proxy, the only network access of the browser. */
export const EGRESS_PROXY = "http://127.0.0.1:3128";

/** Reports whether a container for `spec` reaches less than its engine's host. */
export function limitsEgress({ egress }: Pick<BrowserSpec, "egress">): boolean {
  return egress.mode !== "open";
}

/**
 * Returns the networks that a container for `spec` cannot reach.
 *
 * @param gridAddresses Addresses of the grid, denied like private ones.
 */
export function listDeniedNetworks(
  { egress }: Pick<BrowserSpec, "egress">,
  gridAddresses: readonly string[],
): readonly string[] {
  switch (egress.mode) {
    case "open":
      return [];
    case "no_private":
      return [...NON_PUBLIC_NETWORKS, ...gridAddresses];
    case "none":
      return EVERYTHING;
    default:
      return egress.mode satisfies never;
  }
}

/**
 * Returns the image's variables for the egress of `spec`; none if it is open. They are secret, because they contain the
 * proxy's credentials.
 */
export function createEgressVariables(
  spec: Pick<BrowserSpec, "egress" | "proxy">,
  gridAddresses: readonly string[],
): Readonly<Record<string, string>> {
  if (!limitsEgress(spec)) return {};
  const { egress, proxy } = spec;
  const credentials =
    proxy?.proxy_username === undefined && proxy?.proxy_password === undefined
      ? ""
      : toBase64(`${proxy.proxy_username ?? ""}:${proxy.proxy_password ?? ""}`);
  return {
    BROWSERGRID_EGRESS: egress.mode,
    BROWSERGRID_EGRESS_POOL: toBase64(egress.pool),
    BROWSERGRID_EGRESS_DENY: listDeniedNetworks(spec, gridAddresses).join(" "),
    BROWSERGRID_EGRESS_ALLOW: egress.allow.join(" "),
    ...(proxy && {
      BROWSERGRID_EGRESS_UPSTREAM: toUpstream(proxy.proxy_url),
      BROWSERGRID_EGRESS_CREDENTIALS: credentials,
    }),
  };
}

/**
 * Reports whether containers of the network share another network namespace. Rules for such a container would apply to
 * the host.
 */
export function sharesItsNetwork(network: string): boolean {
  return /^(host$|container:|ns:)/.test(network);
}

/** Returns why containers of an image in a network cannot enforce the egress of `spec`; undefined if they can. */
export function findEgressProblem(
  spec: BrowserSpec,
  name: string,
  { enforcesEgress, network }: Pick<LocalImage, "enforcesEgress"> & {
    readonly network: string;
  },
): string | undefined {
  if (!limitsEgress(spec)) return undefined;
  const { pool, mode } = spec.egress;
  if (sharesItsNetwork(network)) {
    return `Cannot start a browser in network "${network}": the egress of work pool "${pool}" is ${mode} for this session, and its rules would apply to the host there, expected a network of the engine, or egress open`;
  }
  if (!enforcesEgress) {
    return `Cannot start a browser in image "${name}": the egress of work pool "${pool}" is ${mode} for this session, which the image cannot enforce, expected an image built by this version's "browsergrid docker build-image", or egress open`;
  }
  const url = spec.proxy && new URL(spec.proxy.proxy_url);
  if (url && !CHAINED_SCHEMES.includes(url.protocol)) {
    return `Cannot use proxy "${spec.proxy?.proxy_url}": the egress of work pool "${pool}" is ${mode} for this session, expected an http:// or socks5:// proxy`;
  }
}

function toUpstream(proxyUrl: string): string {
  const { protocol, host } = new URL(proxyUrl);
  return `${protocol}//${host}`;
}

function toBase64(text: string): string {
  return new TextEncoder().encode(text).toBase64();
}
