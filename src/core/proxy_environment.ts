/**
 * The proxies that the environment names (`HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`, in capitals or not).
 *
 * The runtime's own `fetch` reads them; what is opened by hand asks here.
 *
 * @module
 */
import ipaddr from "ipaddr.js";

type Environment = Readonly<Record<string, string | undefined>>;

/** This machine, by its names and addresses. */
const LOOPBACK = ["localhost", ".localhost", "127.0.0.0/8", "::1"];

/**
 * The variables by which neither this machine nor `hosts` is reached through a proxy; none where there is no proxy.
 *
 * @param hosts Names and addresses, IPv6 with brackets or without.
 */
export function exemptFromProxies(
  env: Environment,
  hosts: readonly string[],
): Readonly<Record<string, string>> {
  const hasProxy = ["http_proxy", "https_proxy", "all_proxy"].some((name) =>
    variable(env, name) !== ""
  );
  if (!hasProxy) return {};
  const exempt = new Set([
    ...entriesOf(variable(env, "no_proxy")),
    ...LOOPBACK,
    ...hosts.map(bare),
  ]);
  const value = [...exempt].join(",");
  return { NO_PROXY: value, no_proxy: value };
}

/** The proxy by which `url` is to be reached; undefined: directly. @throws {Error} If the variable is no URL. */
export function proxyFor(url: URL, env: Environment): URL | undefined {
  const isSecure = /^(https|wss):$/.test(url.protocol);
  const own = variable(env, isSecure ? "https_proxy" : "http_proxy");
  const proxy = own || variable(env, "all_proxy");
  if (proxy === "" || isExempt(url, variable(env, "no_proxy"))) return;
  const parsed = URL.parse(proxy.includes("://") ? proxy : `http://${proxy}`);
  if (parsed) return parsed;
  throw new Error(
    `Cannot use the proxy that the environment names for ${url.protocol}//${url.host}: expected http://HOST:PORT`,
  );
}

function variable(env: Environment, name: string): string {
  return env[name] || env[name.toUpperCase()] || "";
}

function entriesOf(list: string): readonly string[] {
  return list.split(",").map((each) => each.trim()).filter(Boolean);
}

function isExempt({ hostname, port, protocol }: URL, list: string): boolean {
  const host = bare(hostname).toLowerCase();
  const number = port || (/^(https|wss):$/.test(protocol) ? "443" : "80");
  return entriesOf(list.toLowerCase()).some((entry) =>
    entry === "*" || isWithin(host, entry) ||
    entry.endsWith(`:${number}`) &&
      isWithin(host, bare(entry.slice(0, -number.length - 1)))
  );
}

/** Reports whether `host` is the name, below the domain, the address, or in the network, that `entry` is. */
function isWithin(host: string, entry: string): boolean {
  const name = entry.replace(/^\*?\./, "");
  if (host === bare(name) || host.endsWith(`.${name}`)) return true;
  if (!ipaddr.isValid(host) || !ipaddr.isValidCIDR(entry)) return false;
  const address = ipaddr.process(host);
  const [network, bits] = ipaddr.parseCIDR(entry);
  return address.kind() === network.kind() && address.match([network, bits]);
}

/** An IPv6 address without its brackets. */
function bare(host: string): string {
  return host.replace(/^\[|\]$/g, "");
}
