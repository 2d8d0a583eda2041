import { z } from "@hono/zod-openapi";
import ipaddr from "ipaddr.js";

/** A parsed address. */
export type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** An entry of an egress allow list: a network or host name pattern, with an optional port. */
export type EgressRule =
  & { readonly port?: number }
  & (
    | { readonly network: readonly [Address, number] }
    /** `*.corp.example` is stored as the suffix `.corp.example`. */
    | { readonly name: string }
    | { readonly suffix: string }
  );

/** The target of a browser's connection. */
export interface EgressTarget {
  /** Name or address, in the form of {@linkcode canonicalHost}. */
  readonly host: string;
  readonly port: number;
}

/** Describes the entries that {@linkcode parseEgressRule} accepts, for error messages. */
export const EGRESS_RULE_FORM =
  "expected a network (10.1.0.0/16, fd00::/8), an address, a host name or *.NAME, each with an optional :PORT ([::1]:80 for IPv6)";

const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;

/** Maximum length of an entry: a name of 253 characters, with "*.", ":" and a port. */
const MAX_RULE = 261;

/** Maximum length of an address: IPv6 with an embedded IPv4 address and an interface name. */
const MAX_ADDRESS = 80;

/** Parses an entry; returns undefined if it is not a rule. Linear in the length of `text`. */
export function parseEgressRule(text: string): EgressRule | undefined {
  if (text.length > MAX_RULE) return undefined;
  const { host, port } = splitPort(text);
  if (host === undefined || port === null) return undefined;
  const subject = parseNetwork(host) ?? parseName(host);
  return subject && (port === undefined ? subject : { ...subject, port });
}

/**
 * Returns the form of a host in which two hosts compare: names in lower case without a trailing dot, addresses without
 * brackets.
 */
export function canonicalHost(host: string): string {
  return host.toLowerCase().replace(/^\[|\]$/g, "").replace(/\.$/, "");
}

/** Parses an address, and converts an IPv4 address in IPv6 to IPv4; returns undefined if `text` is not an address. */
export function parseAddress(text: string): Address | undefined {
  if (text.length > MAX_ADDRESS) return undefined;
  const [bare = ""] = text.split("%", 1);
  // Short forms such as "127.1" or "1" are names here, which a resolver turns into addresses.
  const isWhole = bare.includes(":")
    ? ipaddr.IPv6.isValid(bare)
    : ipaddr.IPv4.isValidFourPartDecimal(bare);
  return isWhole ? ipaddr.process(bare) : undefined;
}

/** Reports whether `rule` matches `target`, which has or resolves to `address`. */
export function matchesEgressRule(
  rule: EgressRule,
  { host, port }: EgressTarget,
  address: string | undefined,
): boolean {
  if (rule.port !== undefined && rule.port !== port) return false;
  if ("name" in rule) return host === rule.name;
  if ("suffix" in rule) {
    return host.length > rule.suffix.length && host.endsWith(rule.suffix);
  }
  const [network, bits] = rule.network;
  const parsed = address === undefined ? undefined : parseAddress(address);
  return parsed !== undefined && parsed.kind() === network.kind() &&
    parsed.match(network, bits);
}

/** Splits host and port. The port is null if it is out of range. */
function splitPort(
  text: string,
): { readonly host?: string; readonly port?: number | null } {
  const [, inner, end] = /^\[([^[\]]*)\](?::(.*))?$/.exec(text) ?? [];
  if (inner !== undefined) {
    return inner.includes(":") ? withPort(inner, end) : {};
  }
  const parts = text.split(":");
  // More than one colon without brackets: an IPv6 address or network.
  return parts.length === 2
    ? withPort(parts[0] ?? "", parts[1])
    : { host: text };
}

function withPort(host: string, text: string | undefined) {
  if (text === undefined) return { host };
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return { host, port: port >= 1 && port <= 65_535 ? port : null };
}

function parseNetwork(text: string): EgressRule | undefined {
  const [bare = "", bits, ...rest] = text.split("/");
  const address = bare.includes("%") ? undefined : parseAddress(bare);
  if (!address || rest.length > 0) return undefined;
  const all = address.kind() === "ipv4" ? 32 : 128;
  if (bits === undefined) return { network: [address, all] };
  const isMapped = bare.includes(":") && all === 32;
  const isNumber = /^\d{1,3}$/.test(bits) && Number(bits) <= all;
  // Normalizes a network of IPv4 addresses in IPv6 form to IPv4.
  return isNumber && !isMapped
    ? { network: [address, Number(bits)] }
    : undefined;
}

function parseName(text: string): EgressRule | undefined {
  const isSuffix = text.startsWith("*.");
  const name = canonicalHost(isSuffix ? text.slice(2) : text);
  const labels = name.split(".");
  const isName = name.length <= 253 && labels.every((each) => LABEL.test(each));
  // Resolvers read "127.1" and "0x7f.1" as addresses.
  if (!isName || /^(\d+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? "")) {
    return undefined;
  }
  return isSuffix ? { suffix: `.${name}` } : { name };
}

/**
 * Networks that are not public: loopback, private, link-local, metadata, shared, multicast and reserved ones. A browser
 * whose egress is `no_private` reaches none of them, whatever the provider.
 */
export const NON_PUBLIC_NETWORKS: readonly string[] = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.31.196.0/24",
  "192.52.193.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "192.175.48.0/24",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/3",
  // Public IPv6 addresses begin with 001.
  "::/3",
  "4000::/2",
  "8000::/1",
  "2001::/23",
  "2001:db8::/32",
  // IPv4 addresses, including private ones, in IPv6 form.
  "2002::/16",
  "2620:4f:8000::/48",
  "3fff::/20",
];

const NON_PUBLIC = NON_PUBLIC_NETWORKS.map((network) =>
  ipaddr.parseCIDR(network)
);

/** Prefix of IPv4 addresses behind NAT64, which have the address in the last 32 bits. */
const NAT64 = ipaddr.IPv6.parse("64:ff9b::");
const NAT64_BITS = 96;

/** Parses the effective address: an IPv4 address that is embedded in an IPv6 one counts as IPv4. */
export function parseEffectiveAddress(text: string): Address | undefined {
  const address = parseAddress(text);
  return address instanceof ipaddr.IPv6 && address.match(NAT64, NAT64_BITS)
    ? new ipaddr.IPv4(address.toByteArray().slice(12))
    : address;
}

/** Reports whether `text` is a public internet address. */
export function isPublicAddress(text: string): boolean {
  const address = parseEffectiveAddress(text);
  return address !== undefined && isPublic(address);
}

/** Reports whether an address is in none of the networks that are not public. */
export function isPublic(address: Address): boolean {
  return !NON_PUBLIC.some(([network, bits]) =>
    network.kind() === address.kind() && address.match(network, bits)
  );
}

/** Networks that a session's browser may reach: `open` all, `no_private` the internet, `none` none. */
export const EGRESS_MODES = ["open", "no_private", "none"] as const;

export type EgressMode = (typeof EGRESS_MODES)[number];

/** An entry of a pool's `egress_allow`. */
export const egressRuleSchema = z.string().max(261).refine(
  (text) => parseEgressRule(text) !== undefined,
  EGRESS_RULE_FORM,
).openapi({
  description:
    "A network in CIDR form, an address, a host name, or *. and a domain for every name below it; each with or without :port, IPv6 with a port in brackets",
  pattern: String.raw`^[A-Za-z0-9*_.:/\[\]-]+$`,
  examples: ["10.1.0.0/16", "intranet.example.test:443", "*.example.test"],
});

export const egressPolicySchema = z.object({
  mode: z.enum(EGRESS_MODES).describe(
    "open: everything. no_private: no private, loopback, link-local or metadata address. none: nothing",
  ),
  allow: z.array(egressRuleSchema).describe(
    "Networks and hosts that may be reached in every mode",
  ),
  pool: z.string().describe(
    "Name of the work pool, which the error page of a rejected connection shows",
  ),
}).openapi("EgressPolicy", {
  description: "Networks that the session's browser may reach",
});

/** Networks that a browser may reach, by its pool and owner. */
export interface EgressPolicy {
  readonly mode: EgressMode;
  /** Networks in CIDR form and host names that may be reached in every mode. */
  readonly allow: readonly string[];
  /** Name of the work pool, which the error page of a rejected connection shows. */
  readonly pool: string;
}
