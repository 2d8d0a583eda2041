/** Returns the base URL of the server's WebSockets. `baseUrl` has no trailing slash. */
export function toWebSocketUrl(baseUrl: string): string {
  return baseUrl.replace(/^http/, "ws");
}
