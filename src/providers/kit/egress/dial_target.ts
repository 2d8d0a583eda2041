import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import {
  canonicalHost,
  type EgressTarget,
  parseAddress,
} from "../../../core/egress.ts";
import { toMessage } from "../../../core/log.ts";
import type { EgressFilter } from "./filter.ts";
import type { NameLookups } from "./name_lookups.ts";
import { formatAuthority, ProxyProblem } from "./proxy_request.ts";

/** Timeout of one address, after which the next is tried. */
const ADDRESS_MS = 5_000;

/** Options of {@linkcode findAllowedAddresses}. */
export interface DialOptions {
  /** Limits the targets; absent means that everything is allowed. */
  readonly filter?: EgressFilter | undefined;
  /** Resolves a name to its addresses. @default {the system's resolver} */
  readonly resolve?: ((name: string) => Promise<readonly string[]>) | undefined;
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

/** Returns the addresses of `target` that the filter allows, at least one. @throws {ProxyProblem} 403, 502. */
export async function findAllowedAddresses(
  target: EgressTarget,
  { filter, resolve = resolveBySystem, lookups, signal }: DialOptions,
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

/** Connects to the first of `addresses` that accepts the connection. @throws {ProxyProblem} 502. */
export async function dialTarget(
  target: EgressTarget,
  addresses: readonly string[],
  signal: AbortSignal,
): Promise<Socket> {
  let failure: unknown = new Error("there is no address");
  try {
    for (const host of addresses) {
      signal.throwIfAborted();
      try {
        return await dialAddress(host, target.port, signal);
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  } catch (error) {
    throw toUnreachable(target, error);
  }
}

async function dialAddress(
  host: string,
  port: number,
  signal: AbortSignal,
): Promise<Socket> {
  const socket = connect({ host, port, noDelay: true, keepAlive: true });
  // Also after the connection, until the caller adds its own listener.
  socket.on("error", () => socket.destroy());
  const late = setTimeout(
    () => socket.destroy(new Error("it does not respond in time")),
    ADDRESS_MS,
  );
  try {
    await once(socket, "connect", { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(late);
  }
}

/** Converts the error of a connection to `target`. */
export function toUnreachable(
  target: EgressTarget,
  error: unknown,
): ProxyProblem {
  return new ProxyProblem(
    502,
    `Cannot connect to ${formatAuthority(target)}: ${toMessage(error)}`,
  );
}
