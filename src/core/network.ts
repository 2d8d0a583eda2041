import ipaddr from "ipaddr.js";

/** Reports whether `text` is an address or a network in CIDR form. */
export function isNetwork(text: string): boolean {
  return ipaddr.isValid(text) || ipaddr.isValidCIDR(text);
}

/** Reports whether an address to listen on is reachable only from this machine. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(host);
}

/** Returns the host of `url` in the form of sockets: an IPv6 address without brackets. */
export function toSocketHost({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, "");
}

/** Reports whether `entry` is valid in the setting `allowed_hosts`. */
export function isHostEntry(entry: string): boolean {
  if (entry === "*") return true;
  const name = addBrackets(entry.startsWith("*.") ? entry.slice(2) : entry);
  return !name.includes("*") && parseHostName(name) !== undefined &&
    URL.parse(`http://${name}`)?.port === "";
}

/** Returns the host in `Host: NAME:PORT`, in the form of URLs; undefined if it is invalid. */
export function parseHostName(host: string): string | undefined {
  const url = URL.parse(`http://${host}`);
  const isHost = url !== null && url.pathname === "/" && url.search === "" &&
    url.hash === "" && !host.includes("@") && !/[\s,]/.test(host);
  return isHost ? removeEndDot(url.hostname) : undefined;
}

/** Removes the trailing dot of a fully qualified name. */
export function removeEndDot(name: string): string {
  return name.endsWith(".") ? name.slice(0, -1) : name;
}

/** Adds the brackets of URLs to an IPv6 address, which settings omit. */
export function addBrackets(host: string): string {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}

/** Port of an endpoint that only its worker may dial. Nothing listens on it. */
const NO_PORT = "0";

/** Prefix of such an endpoint. Its host is an address, because browsers reject names in `Host`. */
export const TUNNEL_ONLY = `ws://127.0.0.1:${NO_PORT}/`;

/** Replaces the address of an endpoint, so that it is reachable only through its worker's tunnel. */
export function throughTunnelOnly(endpoint: string): string {
  return TUNNEL_ONLY + new URL(endpoint).pathname.slice(1);
}

/** Reports whether an endpoint is reachable only through its worker's tunnel. */
export function isTunnelOnly({ port }: Pick<URL, "port">): boolean {
  return port === NO_PORT;
}

/** URL of a database without its token. */
export interface DatabaseAddress {
  readonly url: string;
  readonly authToken: string | undefined;
}

/** Reports whether `url` contains a user or a password. */
export function hasUser(url: string): boolean {
  return /^\w+:\/\/[^/?#]*@/.test(url);
}

/** Separates `?authToken=...` from the URL of a remote database, so that the URL can be shown and logged. */
export function parseDatabaseAddress(text: string): DatabaseAddress {
  const at = text.indexOf("?");
  const isRemote = /^(libsql|https?):/i.test(text);
  if (!isRemote || at < 0) return { url: text, authToken: undefined };
  const query = new URLSearchParams(text.slice(at + 1));
  const authToken = query.get("authToken") ?? undefined;
  query.delete("authToken");
  const rest = query.size > 0 ? `?${query}` : "";
  return { url: text.slice(0, at) + rest, authToken };
}
