import { Buffer } from "node:buffer";
import { once } from "node:events";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Proxy } from "../../../core/browser_spec.ts";
import {
  canonicalHost,
  type EgressTarget,
  parseAddress,
} from "../../../core/egress.ts";
import {
  type DialOptions,
  dialTarget,
  type EgressRoute,
  findAllowedAddresses,
  toUnreachable,
} from "./dial_target.ts";
import { isPublicAddress } from "../../../core/egress.ts";
import {
  type ProxyRequest,
  renderOriginHead,
  renderProxyHead,
} from "./proxy_request.ts";
import { SocketReader } from "./socket_reader.ts";
import { connectBySocks4, connectBySocks5 } from "./socks.ts";

const NO_BYTES = new Uint8Array();

const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  "http:": 80,
  "https:": 443,
  "socks4:": 1080,
  "socks5:": 1080,
};

/**
 * Opens the connection for a request through an upstream proxy, at an address that the filter allows.
 *
 * @throws {ProxyProblem} 403 - not allowed, 502 - the connection fails.
 */
export async function openUpstreamRoute(
  request: ProxyRequest,
  upstream: Proxy,
  options: DialOptions,
): Promise<EgressRoute> {
  const { signal } = options;
  const url = new URL(upstream.proxy_url);
  const proxy = {
    host: canonicalHost(url.hostname),
    port: Number(url.port || DEFAULT_PORTS[url.protocol]),
  };
  const proxyAddresses = await findAllowedAddresses(proxy, options);
  const host = await findUpstreamHost(request.target, proxyAddresses, options);
  const tcp = await dialTarget(proxy, proxyAddresses, signal);
  try {
    if (url.protocol.startsWith("socks")) {
      return await connectViaSocks(tcp, { request, upstream, host });
    }
    const socket = url.protocol === "https:"
      ? await startTls(tcp, proxy.host, signal)
      : tcp;
    const credentials = renderCredentials(upstream);
    const head = renderProxyHead(request, { host, credentials });
    return { socket, head, early: NO_BYTES };
  } catch (error) {
    tcp.destroy();
    throw toUnreachable(proxy, error);
  }
}

/**
 * Returns the host that is requested from an upstream proxy: an allowed address, unless the proxy resolves the name
 * itself.
 */
async function findUpstreamHost(
  target: EgressTarget,
  proxyAddresses: readonly string[],
  options: DialOptions,
): Promise<string> {
  const { filter } = options;
  if (!filter) return target.host;
  const isName = parseAddress(canonicalHost(target.host)) === undefined;
  const isRemote = proxyAddresses.every(isPublicAddress);
  const resolvesItself = filter.mode === "open" ||
    filter.mode === "no_private" && isRemote;
  if (isName && resolvesItself) return target.host;
  const [address = target.host] = await findAllowedAddresses(target, options);
  return address;
}

async function connectViaSocks(
  socket: Socket,
  { request, upstream, host }: {
    readonly request: ProxyRequest;
    readonly upstream: Proxy;
    readonly host: string;
  },
): Promise<EgressRoute> {
  const target = { host, port: request.target.port };
  const reader = new SocketReader(socket);
  const { proxy_url, proxy_username: username, proxy_password } = upstream;
  if (proxy_url.startsWith("socks4:")) {
    await connectBySocks4(socket, reader, target);
  } else {
    const credentials = username === undefined
      ? undefined
      : { username, password: proxy_password ?? "" };
    await connectBySocks5(socket, reader, { target, credentials });
  }
  return {
    socket,
    head: request.isTunnel ? undefined : renderOriginHead(request),
    early: reader.release(),
  };
}

async function startTls(
  tcp: Socket,
  host: string,
  signal: AbortSignal,
): Promise<Socket> {
  const socket = connectTls({ socket: tcp, servername: host });
  socket.on("error", () => tcp.destroy());
  await once(socket, "secureConnect", { signal });
  return socket;
}

function renderCredentials(
  { proxy_username, proxy_password }: Proxy,
): string | undefined {
  if (proxy_username === undefined) return undefined;
  const pair = `${proxy_username}:${proxy_password ?? ""}`;
  return `Basic ${Buffer.from(pair).toString("base64")}`;
}
