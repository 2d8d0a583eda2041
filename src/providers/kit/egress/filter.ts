import type {
  Address,
  EgressMode,
  EgressPolicy,
} from "../../../core/egress.ts";
import {
  canonicalHost,
  type EgressRule,
  type EgressTarget,
  isPublic,
  matchesEgressRule,
  parseEffectiveAddress,
  parseEgressRule,
} from "../../../core/egress.ts";

/** Options of a filter in addition to the pool's settings. */
export interface EgressFilterOptions {
  /** Returns the addresses of the grid, in the form of `allow`. Called for each decision. */
  readonly gridAddresses?: () => readonly string[];
}

/** Descriptions of special ranges, for error messages. */
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
   * Returns the reason for rejecting a connection to `target` at `address`, as a sentence that names the pool's
   * setting; undefined if it is allowed.
   */
  problem(target: EgressTarget, address: string): string | undefined {
    const canonical = { ...target, host: canonicalHost(target.host) };
    const reached = parseEffectiveAddress(address);
    const isAllowed = this.#allow.some((rule) =>
      matchesEgressRule(rule, canonical, reached?.toString())
    );
    if (isAllowed) return undefined;
    const why = reached
      ? this.#describeRejected(canonical, reached)
      : "no address";
    return why === undefined ? undefined : this.renderProblem(target, why);
  }

  /** Returns the error message for a rejected `target`. @param why Description of its address. */
  renderProblem({ host, port }: EgressTarget, why?: string): string {
    const { mode, pool } = this.#egress;
    const shown = host.length > 100 ? `${host.slice(0, 100)}\u2026` : host;
    const place = `${shown.includes(":") ? `[${shown}]` : shown}:${port}`;
    const is = why === undefined ? "" : `it is ${why}, and `;
    return `Cannot connect to ${place}: ${is}the egress of work pool "${pool}" is ${mode}, expected an entry of the pool's egress_allow`;
  }

  /** Returns a description of `address` if the mode rejects it; undefined if it is allowed. */
  #describeRejected(
    target: EgressTarget,
    address: Address,
  ): string | undefined {
    const range = RANGES[address.range()];
    switch (this.#egress.mode) {
      case "none":
        return "not in the list";
      case "open":
        return isThisHost(address) ? range : undefined;
      case "no_private":
        if (!isPublic(address)) return range ?? "a reserved address";
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

function isThisHost(address: Address): boolean {
  return ["loopback", "unspecified"].includes(address.range());
}

function parseRule(text: string): EgressRule {
  const rule = parseEgressRule(text);
  if (!rule) throw new TypeError(`Cannot use egress rule "${text}"`);
  return rule;
}
