import ipaddr from "ipaddr.js";

type Address = ipaddr.IPv4 | ipaddr.IPv6;

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
