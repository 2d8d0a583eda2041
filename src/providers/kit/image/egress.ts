import type { BrowserSpec } from "../../../core/browser_spec.ts";
import { NON_PUBLIC_NETWORKS } from "../../../core/egress.ts";

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

function toUpstream(proxyUrl: string): string {
  const { protocol, host } = new URL(proxyUrl);
  return `${protocol}//${host}`;
}

function toBase64(text: string): string {
  return new TextEncoder().encode(text).toBase64();
}
