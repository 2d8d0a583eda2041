import { Buffer } from "node:buffer";
import { lookup } from "node:dns/promises";
import { once } from "node:events";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Proxy } from "../../../core/browser_spec.ts";
import {
  canonicalHost,
  type EgressTarget,
  parseAddress,
} from "../../../core/egress_rule.ts";
import { toMessage } from "../../../core/log.ts";
import { dialAddress } from "./dial_address.ts";
import { type EgressFilter, isPublicAddress } from "./filter.ts";
import type { NameLookups } from "./name_lookups.ts";
import {
  formatAuthority,
  ProxyProblem,
  type ProxyRequest,
  renderOriginHead,
  renderProxyHead,
} from "./proxy_request.ts";
import { SocketReader } from "./socket_reader.ts";
import { connectBySocks4, connectBySocks5 } from "./socks.ts";

/** Options of {@linkcode openEgressRoute}. */
export interface EgressRouteOptions {
  /** Limits the targets; absent means that everything is allowed. */
  readonly filter?: EgressFilter | undefined;
  /** Proxy for all connections. */
  readonly upstream?: Proxy | undefined;
  /** Resolves a name to its addresses. @default {the system's resolver} */
  readonly resolve?: ((name: string) => Promise<readonly string[]>) | undefined;
}

/** Options of one request. */
interface RouteOptions extends EgressRouteOptions {
  readonly lookups: NameLookups;
  readonly signal: AbortSignal;
}

/** A connection to the target of a request. */
export interface EgressRoute {
  readonly socket: Socket;
  /** Head to send first; undefined for a tunnel. */
  readonly head: string | undefined;
  /** Bytes that the target has already sent. */
  readonly early: Uint8Array;
}

const NO_BYTES = new Uint8Array();

const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  "http:": 80,
  "https:": 443,
  "socks4:": 1080,
  "socks5:": 1080,
};

/**
 * Opens the connection for a request: to an address that the filter allows, or through the upstream proxy.
 *
 * Names are resolved here, and the connection uses exactly the address that was checked. An upstream proxy at a public
 * address resolves names itself, since its network is not the worker's.
 *
 * @throws {ProxyProblem} 403 — not allowed, 502 — the connection fails.
 */
export async function openEgressRoute(
  request: ProxyRequest,
  options: RouteOptions,
): Promise<EgressRoute> {
  if (options.upstream) {
    return await openUpstreamRoute(request, options.upstream, options);
  }
  const { target } = request;
  const addresses = await findAllowedAddresses(target, options);
  const socket = await dial(target, addresses, options.signal);
  const head = request.isTunnel ? undefined : renderOriginHead(request);
  return { socket, head, early: NO_BYTES };
}

async function openUpstreamRoute(
  request: ProxyRequest,
  upstream: Proxy,
  options: RouteOptions,
): Promise<EgressRoute> {
  const { signal } = options;
  const url = new URL(upstream.proxy_url);
  const proxy = {
    host: canonicalHost(url.hostname),
    port: Number(url.port || DEFAULT_PORTS[url.protocol]),
  };
  const proxyAddresses = await findAllowedAddresses(proxy, options);
  const host = await findUpstreamHost(request.target, proxyAddresses, options);
  const tcp = await dial(proxy, proxyAddresses, signal);
  try {
    if (url.protocol.startsWith("socks")) {
      return await connectViaSocks(tcp, { request, upstream, host });
    }
    const socket = url.protocol === "https:"
      ? await startTls(tcp, proxy.host, signal)
      : tcp;
    const head = renderProxyHead(request, {
      host,
      credentials: renderCredentials(upstream),
    });
    return { socket, head, early: NO_BYTES };
  } catch (error) {
    tcp.destroy();
    throw unreachable(proxy, error);
  }
}

/**
 * Returns the host that an upstream proxy is asked for: an allowed address, unless the proxy resolves the name itself.
 */
async function findUpstreamHost(
  target: EgressTarget,
  proxyAddresses: readonly string[],
  options: RouteOptions,
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

/** Returns the addresses of `target` that the filter allows, at least one. @throws {ProxyProblem} 403, 502. */
async function findAllowedAddresses(
  target: EgressTarget,
  { filter, resolve = resolveBySystem, lookups, signal }: RouteOptions,
): Promise<readonly string[]> {
  if (filter && !filter.mayResolve(target)) {
    throw new ProxyProblem(403, filter.renderProblem(target));
  }
  const host = canonicalHost(target.host);
  const addresses = parseAddress(host)
    ? [host]
    : await lookups.find(() => resolve(host), signal).catch(() => []);
  if (addresses.length === 0) {
    throw new ProxyProblem(
      502,
      `Cannot connect to ${formatAuthority(target)}: the name has no address`,
    );
  }
  if (!filter) return addresses;
  const problems = addresses.map((each) => filter.problem(target, each));
  const allowed = addresses.filter((_, at) => problems[at] === undefined);
  if (allowed.length > 0) return allowed;
  throw new ProxyProblem(403, problems[0] ?? filter.renderProblem(target));
}

async function resolveBySystem(name: string): Promise<readonly string[]> {
  const found = await lookup(name, { all: true });
  return found.map(({ address }) => address);
}

async function dial(
  target: EgressTarget,
  addresses: readonly string[],
  signal: AbortSignal,
): Promise<Socket> {
  try {
    return await dialAddress(addresses, target.port, signal);
  } catch (error) {
    throw unreachable(target, error);
  }
}

function unreachable(target: EgressTarget, error: unknown): ProxyProblem {
  return new ProxyProblem(
    502,
    `Cannot connect to ${formatAuthority(target)}: ${toMessage(error)}`,
  );
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
