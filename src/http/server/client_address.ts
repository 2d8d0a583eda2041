import type { Context } from "hono";
import ipaddr from "ipaddr.js";
import { lruTouch } from "../../async/lru.ts";
import type { GridBindings, GridEnv } from "../../core/middleware.ts";

type Address = ipaddr.IPv4 | ipaddr.IPv6;
/** A request with the address of its connection. */
interface PeerContext {
  readonly env: GridBindings | undefined;
}

type Network = [Address, number];

/** Maximum number of forwarded addresses that are read. */
const MAX_FORWARDED = 32;

/** Maximum length of an address: the longest has 45 characters, without zone and port. */
const MAX_ADDRESS = 100;

/** Returns the address of a request's client; undefined if the platform does not provide it. */
export type ClientAddress = (c: Context<GridEnv>) => string | undefined;

/**
 * Returns a function for the address of a request's client: the address of the connection or, if that is one of
 * `trustedProxies`, the last address in `X-Forwarded-For` that is not one of them. Addresses that a client writes there
 * are never trusted.
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
      // Addresses before an unreadable one are not trusted.
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

/** Returns the network that one client has at least: an IPv4 address, or the /64 network of an IPv6 address. */
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

/** Maximum number of remembered addresses. */
const MAX_PARSED = 1_000;

/** Recently parsed addresses by their text. */
const parsedAddresses = new Map<string, Address | undefined>();

/** Returns the address in a text; undefined if it is none. Parsed once for the addresses in use. */
function parse(text: string | undefined): Address | undefined {
  if (text === undefined || text.length > MAX_ADDRESS) return undefined;
  const address = parsedAddresses.get(text) ?? parseAddress(text);
  lruTouch(parsedAddresses, [text, address], MAX_PARSED);
  return address;
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc7239#section-7.4 RFC 7239}: proxies write `1.2.3.4:80` and `[::1]:80` too. */
function parseAddress(text: string): Address | undefined {
  const trimmed = text.trim();
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
