import { once } from "node:events";
import { request } from "node:http";
import type { Socket } from "node:net";
import { toSocketHost } from "../../core/network.ts";

/**
 * Returns the request with which an HTTP proxy opens a connection to the host of `url`.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9110#section-9.3.6 RFC 9110, section 9.3.6: CONNECT}
 */
export function renderConnectRequest(proxy: URL, url: URL): string {
  const lines = Object.entries({
    Host: toAuthority(url),
    ...renderCredentials(proxy),
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `CONNECT ${toAuthority(url)} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

/**
 * Opens a connection through `proxy` to the host of `url`.
 *
 * @throws {Error} If the proxy cannot be reached or rejects the request.
 */
export async function connectViaProxy(
  proxy: URL,
  url: URL,
  signal: AbortSignal,
): Promise<Socket> {
  if (proxy.protocol !== "http:") {
    throw new Error(
      `Cannot open a tunnel through the proxy ${proxy.protocol}//${proxy.host}: it is not an HTTP proxy, expected http://HOST:PORT`,
    );
  }
  const connecting = request({
    method: "CONNECT",
    host: toSocketHost(proxy),
    port: Number(proxy.port || 80),
    path: toAuthority(url),
    headers: { Host: toAuthority(url), ...renderCredentials(proxy) },
    signal,
  });
  // A second error would otherwise end the process.
  connecting.on("error", () => {});
  connecting.end();
  const [response, socket] = await once(connecting, "connect", { signal });
  if (response.statusCode === 200) return socket;
  socket.destroy();
  throw new Error(
    `the proxy ${proxy.host} responds with ${response.statusCode}`,
  );
}

function toAuthority({ hostname, port, protocol }: URL): string {
  const isSecure = /^(https|wss):$/.test(protocol);
  return `${hostname}:${port || (isSecure ? 443 : 80)}`;
}

function renderCredentials(
  { username, password }: URL,
): Record<string, string> {
  if (username === "") return {};
  const pair = `${decodeURIComponent(username)}:${
    decodeURIComponent(password)
  }`;
  const basic = new TextEncoder().encode(pair).toBase64();
  return { "Proxy-Authorization": `Basic ${basic}` };
}
