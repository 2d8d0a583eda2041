/** Address of the server's WebSockets below `baseUrl`, which has no slash at its end. */
export function webSocketBase(baseUrl: string): string {
  return baseUrl.replace(/^http/, "ws");
}
