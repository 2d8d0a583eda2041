/**
 * Checks which endpoints of browsers the server may dial.
 *
 * A worker reports the address of each browser. The server dials it only if it is the address of the worker, so that a
 * worker cannot make the server connect to a service of another host.
 *
 * @module
 */
import type { Context } from "hono";
import { isSelf } from "../../core/caller.ts";
import type { GridEnv } from "../../core/middleware.ts";
import { isLoopback, toSocketHost } from "../../core/network.ts";
import { throughTunnelOnly } from "../../core/network.ts";
import type { Settings } from "../../core/settings.ts";
import { getCaller } from "../../http/auth/access.ts";
import {
  createAddressReader,
  createNetworkMatcher,
  getPeerAddress,
} from "../../http/server/client_address.ts";
import type { SessionReport } from "../sessions/schemas/leases.ts";
import type { HeartbeatBody } from "./schemas/service.ts";

/** Headers that proxies add. If the proxy is not trusted, the address of the connection is not the worker's. */
const PROXY_HEADERS = ["forwarded", "x-forwarded-for", "via"];

/** Returns a heartbeat whose endpoints are marked as dialable or reachable through the tunnel only. */
export type CheckEndpoints = (
  c: Context<GridEnv>,
  body: HeartbeatBody,
) => HeartbeatBody;

/**
 * Creates the check of the endpoints in a heartbeat. An endpoint may be dialled if its address is the source address of
 * the heartbeat, or is in `worker_networks`. The server's embedded worker may report any address.
 */
export function createEndpointCheck(
  { trusted_proxies, worker_networks }: Pick<
    Settings,
    "trusted_proxies" | "worker_networks"
  >,
): CheckEndpoints {
  const findAddress = createAddressReader(trusted_proxies);
  const isAllowed = createNetworkMatcher(worker_networks);
  const isProxy = createNetworkMatcher(trusted_proxies);
  return function checkEndpoints(c, body) {
    if (isSelf(getCaller(c))) return body;
    const address = findAddress(c);
    const isHidden =
      PROXY_HEADERS.some((name) => c.req.header(name) !== undefined) &&
      !isProxy(getPeerAddress(c) ?? "");
    const isWorkerHost = isHidden || address === undefined
      ? () => false
      : matchSameHost(address);
    const isDialable = (host: string) => isWorkerHost(host) || isAllowed(host);
    return {
      ...body,
      sessions: body.sessions.map((report) => checkReport(report, isDialable)),
    };
  };
}

function checkReport(
  report: SessionReport,
  isDialable: (host: string) => boolean,
): SessionReport {
  const { endpoint } = report;
  if (endpoint === undefined || isDialable(toSocketHost(new URL(endpoint)))) {
    return report;
  }
  return { ...report, endpoint: throughTunnelOnly(endpoint) };
}

/**
 * Every loopback address is the same machine. A host name never matches, because it may resolve to another address
 * later.
 */
function matchSameHost(address: string): (host: string) => boolean {
  return isLoopback(address) ? isLoopback : createNetworkMatcher([address]);
}
