import { isLoopback } from "./loopback.ts";

/** Settings that name the server. */
export interface HostSettings {
  readonly host: string;
  readonly public_url?: string | undefined;
  readonly replica_url?: string | undefined;
  readonly api_url: string;
  readonly allowed_hosts: readonly string[];
}

/** Whether a request whose `Host` is `host` (with or without a port) is for this server. */
export type IsKnownHost = (host: string) => boolean;

/**
 * Names and addresses of this server: loopback, the address that it listens on, the hosts of its URLs, and those of the
 * setting `allowed_hosts`. Ports do not count.
 *
 * Where it listens on more than this machine, every IP address is known: a page can be sent to another address by name
 * only.
 */
export function knownHosts(settings: HostSettings): IsKnownHost {
  const { host, public_url, replica_url, api_url, allowed_hosts } = settings;
  const urls = [public_url, replica_url, api_url].flatMap((url) => url ?? []);
  const names = new Set([
    ...urls.map((url) => new URL(url).hostname),
    ...[host, ...allowed_hosts].map((entry) => hostNameIn(bracketed(entry))),
  ]);
  const domains = allowed_hosts.flatMap((entry) =>
    entry.startsWith("*.") ? [entry.slice(1).toLowerCase()] : []
  );
  const isAnyAllowed = allowed_hosts.includes("*");
  const isExposed = !isLoopback(host);
  return function isKnown(asked) {
    const name = hostNameIn(asked);
    if (name === undefined) return false;
    return isAnyAllowed || names.has(name) || isLoopbackName(name) ||
      isExposed && isAddress(name) ||
      domains.some((domain) => name.endsWith(domain));
  };
}

/** Host of `Host: NAME:PORT` as URLs have it, undefined if it is none. */
function hostNameIn(host: string): string | undefined {
  const url = URL.parse(`http://${host}`);
  const isHost = url !== null && url.pathname === "/" && url.search === "" &&
    url.hash === "" && !host.includes("@") && !/[\s,]/.test(host);
  return isHost ? withoutEndDot(url.hostname) : undefined;
}

function withoutEndDot(name: string): string {
  return name.endsWith(".") ? name.slice(0, -1) : name;
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc6761#section-6.3 RFC 6761}: names below localhost are loopback. */
function isLoopbackName(name: string): boolean {
  return isLoopback(name) || name.endsWith(".localhost");
}

/** Whether a URL's host is an address: URLs have IPv4 in four decimal parts, IPv6 in brackets. */
function isAddress(name: string): boolean {
  return name.startsWith("[") || /^\d+\.\d+\.\d+\.\d+$/.test(name);
}

/** A setting has IPv6 addresses without the brackets of URLs. */
function bracketed(host: string): string {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}

/** Whether `entry` may stand in the setting `allowed_hosts`. */
export function isHostEntry(entry: string): boolean {
  if (entry === "*") return true;
  const name = bracketed(entry.startsWith("*.") ? entry.slice(2) : entry);
  return !name.includes("*") && hostNameIn(name) !== undefined &&
    URL.parse(`http://${name}`)?.port === "";
}
