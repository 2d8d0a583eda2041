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
