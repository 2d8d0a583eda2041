/**
 * Endpoints without an address, which the server never dials.
 *
 * @module
 */

/** Port of an endpoint that only its worker may dial. Nothing listens on it. */
const NO_PORT = "0";

/** Prefix of such an endpoint. Its host is an address, because browsers reject names in `Host`. */
export const TUNNEL_ONLY = `ws://127.0.0.1:${NO_PORT}/`;

/** Replaces the address of an endpoint, so that it is reachable only through its worker's tunnel. */
export function throughTunnelOnly(endpoint: string): string {
  return TUNNEL_ONLY + new URL(endpoint).pathname.slice(1);
}

/** Reports whether an endpoint is reachable only through its worker's tunnel. */
export function isTunnelOnly({ port }: Pick<URL, "port">): boolean {
  return port === NO_PORT;
}
