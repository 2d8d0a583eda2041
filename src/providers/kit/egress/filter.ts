import ipaddr from "ipaddr.js";
import type { EgressMode, EgressPolicy } from "../../../core/browser_spec.ts";
import {
  canonicalHost,
  type EgressRule,
  type EgressTarget,
  matchesEgressRule,
  parseAddress,
  parseEgressRule,
} from "../../../core/egress_rule.ts";

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** Options of a filter in addition to the pool's settings. */
export interface EgressFilterOptions {
  /** Returns the grid's own addresses, in the form of `allow`; called for each decision. */
  readonly gridAddresses?: () => readonly string[];
}

/** Descriptions of ranges that are not public, for error messages. */
const RANGES: Readonly<Record<string, string>> = {
  loopback: "a loopback address",
  unspecified: "an address of this host",
  private: "a private address",
  uniqueLocal: "a private address",
  linkLocal: "a link-local address",
  carrierGradeNat: "a carrier-grade NAT address",
  multicast: "a multicast address",
  broadcast: "a broadcast address",
};

/** Range of all public IPv6 addresses; the rest is reserved or for special use. */
const GLOBAL_UNICAST = ipaddr.IPv6.parse("2000::");
const GLOBAL_UNICAST_BITS = 3;

/** Prefix of IPv4 addresses behind NAT64, which have the address in the last 32 bits. */
const NAT64 = ipaddr.IPv6.parse("64:ff9b::");
const NAT64_BITS = 96;

/**
 * Decides which targets the browsers of a pool may connect to. Mode `open` allows all but the worker's loopback, where
 * other programs of its host listen; `no_private` allows public addresses except those of the grid; `none` allows none.
 * The pool's allowed names and networks apply in every mode.
 *
 * It decides by resolved address. The caller must connect to the address that it has checked and must not resolve the
 * name again.
 */
export class EgressFilter {
  readonly #egress: EgressPolicy;
  readonly #allow: readonly EgressRule[];
  readonly #gridAddresses: () => readonly string[];

  /** @throws {TypeError} If an entry of `allow` is not a rule. */
  constructor(
    egress: EgressPolicy,
    { gridAddresses = () => [] }: EgressFilterOptions = {},
  ) {
    this.#egress = egress;
    this.#allow = egress.allow.map(parseRule);
    this.#gridAddresses = gridAddresses;
  }

  get mode(): EgressMode {
    return this.#egress.mode;
  }

  /**
   * Reports whether any address of `target` could be allowed. If not, its name must not be resolved, because the query
   * itself would leak it.
   */
  mayResolve(target: EgressTarget): boolean {
    if (this.#egress.mode !== "none") return true;
    const host = canonicalHost(target.host);
    return this.#allow.some((rule) =>
      "network" in rule || matchesEgressRule(rule, { ...target, host }, host)
    );
  }

  /**
   * Returns why a connection to `target` at `address` is rejected, as a sentence that names the pool's setting;
   * undefined if it is allowed.
   */
  problem(target: EgressTarget, address: string): string | undefined {
    const canonical = { ...target, host: canonicalHost(target.host) };
    const reached = parseEffectiveAddress(address);
    const isAllowed = this.#allow.some((rule) =>
      matchesEgressRule(rule, canonical, reached?.toString())
    );
    if (isAllowed) return undefined;
    const why = reached ? this.#kindOf(canonical, reached) : "no address";
    return why === undefined ? undefined : this.sentence(target, why);
  }

  /** Returns the sentence that rejects `target`. */
  sentence({ host, port }: EgressTarget, why?: string): string {
    const { mode, pool } = this.#egress;
    const shown = host.length > 100 ? `${host.slice(0, 100)}…` : host;
    const place = `${shown.includes(":") ? `[${shown}]` : shown}:${port}`;
    const is = why === undefined ? "" : `it is ${why}, and `;
    return `Cannot connect to ${place}: ${is}the egress of work pool "${pool}" is ${mode}, expected an entry of the pool's egress_allow`;
  }

  /** Returns the kind of `address` that the mode rejects; undefined if it is allowed. */
  #kindOf(target: EgressTarget, address: Address): string | undefined {
    const range = findSpecialRange(address);
    switch (this.#egress.mode) {
      case "none":
        return "not in the list";
      case "open":
        return range === "loopback" || range === "unspecified"
          ? RANGES[range]
          : undefined;
      case "no_private":
        if (range !== undefined) return RANGES[range] ?? "a reserved address";
        return this.#isGridAddress(target, address)
          ? "an address of the grid"
          : undefined;
    }
  }

  #isGridAddress(target: EgressTarget, address: Address): boolean {
    return this.#gridAddresses().some((text) =>
      matchesEgressRule(parseRule(text), target, address.toString())
    );
  }
}

/** Parses the effective address: an IPv4 address that is embedded in an IPv6 one counts as IPv4. */
function parseEffectiveAddress(text: string): Address | undefined {
  const address = parseAddress(text);
  return address instanceof ipaddr.IPv6 && address.match(NAT64, NAT64_BITS)
    ? new ipaddr.IPv4(address.toByteArray().slice(12))
    : address;
}

/** Reports whether `text` is a public internet address. */
export function isPublicAddress(text: string): boolean {
  const address = parseEffectiveAddress(text);
  return address !== undefined && findSpecialRange(address) === undefined;
}

/** Returns the range of an address that is not public; undefined if it is public. */
function findSpecialRange(address: Address): string | undefined {
  const range = address.range();
  if (range !== "unicast") return range;
  const isPublic = address instanceof ipaddr.IPv4 ||
    address.match(GLOBAL_UNICAST, GLOBAL_UNICAST_BITS);
  return isPublic ? undefined : "reserved";
}

function parseRule(text: string): EgressRule {
  const rule = parseEgressRule(text);
  if (!rule) throw new TypeError(`Cannot use egress rule "${text}"`);
  return rule;
}
