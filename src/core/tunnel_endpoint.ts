/**
 * Endpoints without an address: the server never dials them.
 *
 * @module
 */

/** Port of an endpoint that only its worker may dial. Nothing listens on it. */
const NO_PORT = "0";

/** What such an endpoint begins with. Its host is an address, because browsers accept no name as `Host`. */
export const TUNNEL_ONLY = `ws://127.0.0.1:${NO_PORT}/`;

/** The endpoint without its address: it is reached through its worker's tunnel. */
export function throughTunnelOnly(endpoint: string): string {
  return TUNNEL_ONLY + new URL(endpoint).pathname.slice(1);
}

/** Whether an endpoint is reached through its worker's tunnel only. */
export function isTunnelOnly({ port }: Pick<URL, "port">): boolean {
  return port === NO_PORT;
}
