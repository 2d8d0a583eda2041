/**
 * The proxies of the environment (`HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`, in upper or lower case).
 *
 * The runtime's `fetch` reads them itself; code that opens connections directly uses this module.
 *
 * @module
 */
import ipaddr from "ipaddr.js";

type Environment = Readonly<Record<string, string | undefined>>;

/** Names and addresses of this machine. */
const LOOPBACK = ["localhost", ".localhost", "127.0.0.0/8", "::1"];

/**
 * Returns the variables that exclude this machine and `hosts` from the proxy; none if there is no proxy.
 *
 * @param hosts Names and addresses, IPv6 with brackets or without.
 */
export function exemptFromProxies(
  env: Environment,
  hosts: readonly string[],
): Readonly<Record<string, string>> {
  const hasProxy = ["http_proxy", "https_proxy", "all_proxy"].some((name) =>
    readVariable(env, name) !== ""
  );
  if (!hasProxy) return {};
  const exempt = new Set([
    ...splitList(readVariable(env, "no_proxy")),
    ...LOOPBACK,
    ...hosts.map(stripBrackets),
  ]);
  const value = [...exempt].join(",");
  return { NO_PROXY: value, no_proxy: value };
}

/** Returns the proxy for `url`; undefined means a direct connection. @throws {Error} If the variable is not a URL. */
export function findProxyFor(url: URL, env: Environment): URL | undefined {
  const isSecure = /^(https|wss):$/.test(url.protocol);
  const specific = readVariable(env, isSecure ? "https_proxy" : "http_proxy");
  const proxy = specific || readVariable(env, "all_proxy");
  if (proxy === "" || isExempt(url, readVariable(env, "no_proxy"))) return;
  const parsed = URL.parse(proxy.includes("://") ? proxy : `http://${proxy}`);
  if (parsed) return parsed;
  throw new Error(
    `Cannot use the proxy of the environment for ${url.protocol}//${url.host}: expected http://HOST:PORT`,
  );
}

function readVariable(env: Environment, name: string): string {
  return env[name] || env[name.toUpperCase()] || "";
}

function splitList(list: string): readonly string[] {
  return list.split(",").map((each) => each.trim()).filter(Boolean);
}

function isExempt({ hostname, port, protocol }: URL, list: string): boolean {
  const host = stripBrackets(hostname).toLowerCase();
  const number = port || (/^(https|wss):$/.test(protocol) ? "443" : "80");
  return splitList(list.toLowerCase()).some((entry) =>
    entry === "*" || isWithin(host, entry) ||
    entry.endsWith(`:${number}`) &&
      isWithin(host, stripBrackets(entry.slice(0, -number.length - 1)))
  );
}

/** Reports whether `entry` is `host`, a domain above it, or a network that contains it. */
function isWithin(host: string, entry: string): boolean {
  const name = entry.replace(/^\*?\./, "");
  if (host === stripBrackets(name) || host.endsWith(`.${name}`)) return true;
  if (!ipaddr.isValid(host) || !ipaddr.isValidCIDR(entry)) return false;
  const address = ipaddr.process(host);
  const [network, bits] = ipaddr.parseCIDR(entry);
  return address.kind() === network.kind() && address.match([network, bits]);
}

/** Removes the brackets of an IPv6 address. */
function stripBrackets(host: string): string {
  return host.replace(/^\[|\]$/g, "");
}
