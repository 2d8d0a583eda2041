/**
 * Addresses that webhooks may be sent to. A name is resolved once for each attempt, and the connection goes to the address
 * that was checked.
 *
 * @module
 */
import ipaddr from "ipaddr.js";
import { toSocketHost } from "../../../core/network.ts";
import {
  type Address,
  isPublic,
  parseEffectiveAddress,
} from "../../../core/egress.ts";
import type { Settings } from "../../../core/settings.ts";

/** Settings that determine the targets. */
export type TargetSettings = Pick<
  Settings,
  "webhook_allowed_networks" | "webhook_allowed_ports" | "webhook_allow_http"
>;

/** Ports below {@linkcode FIRST_FREE_PORT} that are allowed by default. Others are of services that speak no HTTP, such as mail. */
const WEB_PORTS = [80, 443];

/** First port that any program may listen on. */
const FIRST_FREE_PORT = 1_024;

/** Resolves a name to all its addresses. */
export type Resolve = (
  name: string,
  signal: AbortSignal,
) => Promise<readonly string[]>;

/** Returns why a URL is rejected before its name is resolved; undefined if it may be accepted. */
export function findUrlFault(
  url: URL,
  settings: TargetSettings,
): string | undefined {
  const { protocol, hostname } = url;
  if (protocol !== "https:" && !settings.webhook_allow_http) {
    return "it is not https, expected an https URL, or the setting webhook_allow_http";
  }
  if (!isAllowedPort(url, settings)) {
    return "its port is not allowed, expected 443, or one that the setting webhook_allowed_ports allows";
  }
  const host = toSocketHost(new URL(`http://${hostname}`));
  return ipaddr.isValid(host) ? findAddressFault(host, settings) : undefined;
}

function isAllowedPort(
  { protocol, port: given }: URL,
  { webhook_allowed_ports: ports }: TargetSettings,
): boolean {
  const port = Number(given) || (protocol === "https:" ? 443 : 80);
  return ports.length > 0
    ? ports.some((each) => Number(each) === port)
    : port >= FIRST_FREE_PORT || WEB_PORTS.includes(port);
}

/** Returns why an address is rejected; undefined if it is allowed. */
export function findAddressFault(
  text: string,
  { webhook_allowed_networks }: TargetSettings,
): string | undefined {
  const address = parseEffectiveAddress(text);
  if (!address) return "it has no address";
  const isAllowed = isPublic(address) ||
    webhook_allowed_networks.some((network) => contains(network, address));
  return isAllowed
    ? undefined
    : "its address is not public, expected a public one, or one of the setting webhook_allowed_networks";
}

/**
 * Returns the address to connect to.
 *
 * @throws {TargetError} The name has no address, or one that is not allowed: a name must not lead to this network by
 * chance.
 */
export async function resolveTarget(
  url: URL,
  { settings, resolve, signal }: {
    readonly settings: TargetSettings;
    readonly resolve: Resolve;
    readonly signal: AbortSignal;
  },
): Promise<string> {
  const fault = findUrlFault(url, settings);
  if (fault !== undefined) throw new TargetError(fault);
  const host = toSocketHost(url);
  const addresses = ipaddr.isValid(host) ? [host] : await resolve(host, signal);
  for (const address of addresses) {
    const fault = findAddressFault(address, settings);
    if (fault !== undefined) throw new TargetError(fault);
  }
  const [first] = addresses;
  if (first === undefined) throw new TargetError("its name has no address");
  return first;
}

/** The error of a target that is not allowed. */
export class TargetError extends Error {
  override readonly name = "TargetError";

  /** @param fault What is wrong, and what is expected. */
  constructor(fault: string) {
    super(`Cannot send to the URL: ${fault}`);
  }
}

function contains(network: string, address: Address): boolean {
  const [base, bits] = ipaddr.isValidCIDR(network)
    ? ipaddr.parseCIDR(network)
    : wholeAddress(network);
  return base.kind() === address.kind() && address.match(base, bits);
}

function wholeAddress(text: string): [Address, number] {
  const address = ipaddr.process(text);
  return [address, address.kind() === "ipv4" ? 32 : 128];
}
