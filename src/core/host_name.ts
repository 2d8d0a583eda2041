/** The host of `url` as sockets take it: an IPv6 address without its brackets. */
export function hostName({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, "");
}
