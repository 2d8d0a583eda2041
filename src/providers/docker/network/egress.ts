import type { BrowserSpec } from "../../../core/browser_spec.ts";
import { limitsEgress } from "../../kit/image/egress.ts";
import { CHAINED_SCHEMES } from "../../kit/image/unsupported_proxy.ts";
import type { LocalImage } from "../images/image.ts";

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
