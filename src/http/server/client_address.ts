import type { Context } from "hono";
import ipaddr from "ipaddr.js";
import type { GridBindings, GridEnv } from "../../core/middleware.ts";

type Address = ipaddr.IPv4 | ipaddr.IPv6;
/** A request with the address of its connection. */
interface PeerContext {
  readonly env: GridBindings | undefined;
}

type Network = [Address, number];

/** Longest list that is read: whoever sends more has made it up. */
const MAX_FORWARDED = 32;

/** Maximum length of an address: the longest has 45 characters, without zone and port. */
const MAX_ADDRESS = 100;

/** Finds out whom a request comes from; undefined where the platform does not tell. */
export type ClientAddress = (c: Context<GridEnv>) => string | undefined;

/**
 * The address of a request's client: the connection's, or, if that is one of `trustedProxies`, the last one in
 * `X-Forwarded-For` that is none of them. What a client itself writes there is thus never believed.
 */
export function createAddressReader(
  trustedProxies: readonly string[],
): ClientAddress {
  const isTrusted = createMatcher(trustedProxies);
  return function addressOf(c) {
    const peer = parse(getPeerAddress(c));
    if (!peer || !isTrusted(peer)) return peer?.toString();
    let nearest = peer;
    const forwarded = c.req.header("x-forwarded-for")?.split(",") ?? [];
    for (const hop of forwarded.slice(-MAX_FORWARDED).reverse()) {
      const address = parse(hop);
      // Behind what cannot be read nothing is proven.
      if (!address) break;
      nearest = address;
      if (!isTrusted(address)) break;
    }
    return nearest.toString();
  };
}

/** Returns a function that reports whether a text is an address in one of `networks`. */
export function createNetworkMatcher(
  networks: readonly string[],
): (address: string) => boolean {
  const isInside = createMatcher(networks);
  return function isInNetworks(text) {
    const address = parse(text);
    return address !== undefined && isInside(address);
  };
}

function createMatcher(
  networks: readonly string[],
): (address: Address) => boolean {
  const parsed = networks.map(parseNetwork);
  return (address) =>
    parsed.some((network) =>
      network[0].kind() === address.kind() && address.match(network)
    );
}

/** What one client holds at least: an IPv4 address, or the half of an IPv6 address that networks are given out by. */
export function toNetworkKey(address: string): string {
  const parsed = ipaddr.parse(address);
  return parsed.kind() === "ipv4"
    ? address
    : `${parsed.toByteArray().slice(0, 8).join(".")}/64`;
}

function parseNetwork(text: string): Network {
  if (!text.includes("/")) {
    const address = ipaddr.process(text);
    return [address, address.kind() === "ipv4" ? 32 : 128];
  }
  return ipaddr.parseCIDR(text);
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc7239#section-7.4 RFC 7239}: proxies write `1.2.3.4:80` and `[::1]:80` too. */
function parse(text: string | undefined): Address | undefined {
  if (text !== undefined && text.length > MAX_ADDRESS) return undefined;
  const trimmed = text?.trim() ?? "";
  const [, v6, v4] = /^\[([^\]]+)\](?::\d+)?$|^([\d.]+):\d+$/.exec(trimmed) ??
    [];
  const bare = v6 ?? v4 ?? trimmed;
  // Short forms such as "127.1" or "1" are valid to the library, not to a proxy.
  const isWhole = bare.includes(":") || /^\d+\.\d+\.\d+\.\d+$/.test(bare);
  if (!isWhole || !ipaddr.isValid(bare)) return undefined;
  return ipaddr.process(bare); // IPv4 in IPv6 becomes IPv4.
}

/** Returns the address of a request's connection; undefined if the platform does not provide it. */
export function getPeerAddress({ env }: PeerContext): string | undefined {
  const hostname = env?.remoteAddr?.["hostname"];
  return env?.incoming?.socket?.remoteAddress ??
    (typeof hostname === "string" ? hostname : undefined);
}
