import { addBrackets, parseHostName } from "../../core/network.ts";
import { isLoopback } from "../../core/network.ts";

/** Settings that name the server. */
export interface HostSettings {
  readonly host: string;
  readonly public_url?: string | undefined;
  readonly replica_url?: string | undefined;
  readonly api_url: string;
  readonly allowed_hosts: readonly string[];
}

/** Reports whether a request with this `Host` (with or without a port) is for this server. */
export type IsKnownHost = (host: string) => boolean;

/** Cache of parsed hosts by settings, because every request of a page and every upgrade needs them. */
const KNOWN = new WeakMap<HostSettings, IsKnownHost>();

/**
 * Returns a predicate for the names and addresses of this server: loopback, the listening address, the hosts of its
 * URLs, and the setting `allowed_hosts`. Ports are ignored.
 *
 * A server that listens beyond loopback accepts every IP address: DNS rebinding needs a name.
 */
export function createHostMatcher(settings: HostSettings): IsKnownHost {
  let known = KNOWN.get(settings);
  if (!known) KNOWN.set(settings, known = readHosts(settings));
  return known;
}

function readHosts(settings: HostSettings): IsKnownHost {
  const { host, public_url, replica_url, api_url, allowed_hosts } = settings;
  const urls = [public_url, replica_url, api_url].flatMap((url) => url ?? []);
  const names = new Set([
    ...urls.map((url) => new URL(url).hostname),
    ...[host, ...allowed_hosts].map((entry) =>
      parseHostName(addBrackets(entry))
    ),
  ]);
  const domains = allowed_hosts.flatMap((entry) =>
    entry.startsWith("*.") ? [entry.slice(1).toLowerCase()] : []
  );
  const isAnyAllowed = allowed_hosts.includes("*");
  const isExposed = !isLoopback(host);
  /** The last known host: most requests ask for the same. */
  let last: string | undefined;
  return function isKnown(asked) {
    if (asked === last) return true;
    const name = parseHostName(asked);
    if (name === undefined) return false;
    const isFound = isAnyAllowed || names.has(name) || isLoopbackName(name) ||
      isExposed && isAddress(name) ||
      domains.some((domain) => name.endsWith(domain));
    if (isFound) last = asked;
    return isFound;
  };
}

/**
 * Reports whether a name is below localhost, hence loopback. @see {@link
 * https://www.rfc-editor.org/rfc/rfc6761#section-6.3 RFC 6761}
 */
function isLoopbackName(name: string): boolean {
  return isLoopback(name) || name.endsWith(".localhost");
}

/** Reports whether a URL's host is an address: URLs write IPv4 in four decimal parts and IPv6 in brackets. */
function isAddress(name: string): boolean {
  return name.startsWith("[") || /^\d+\.\d+\.\d+\.\d+$/.test(name);
}
