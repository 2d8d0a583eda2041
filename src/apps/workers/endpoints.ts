/**
 * Decides where browsers may be dialled. A worker reports each browser's address; the server connects to it only if it
 * is the address of the worker, so that no worker can make it reach a service of another host.
 *
 * @module
 */
import type { Context } from "hono";
import { callerIn } from "../../http/auth/access.ts";
import { isSelf } from "../../core/caller.ts";
import {
  clientAddress,
  networkMatcher,
  peerAddress,
} from "../../http/server/client_address.ts";
import { hostName } from "../../core/network.ts";
import { isLoopback } from "../../core/network.ts";
import type { GridEnv } from "../../core/middleware.ts";
import type { Settings } from "../../core/settings.ts";
import { throughTunnelOnly } from "../../core/provider.ts";
import type { SessionReport } from "../sessions/schemas.ts";
import type { HeartbeatBody } from "./schemas.ts";

/** Headers that proxies add. If the proxy is not trusted, the address of the connection is not the worker's. */
const PROXY_HEADERS = ["forwarded", "x-forwarded-for", "via"];

/** Settings that decide which endpoints may be dialled. */
export type EndpointSettings = Pick<
  Settings,
  "trusted_proxies" | "worker_networks"
>;

/** Marks each report with whether its endpoint may be dialled. */
export type CheckEndpoints = (
  c: Context<GridEnv>,
  body: HeartbeatBody,
) => HeartbeatBody;

/**
 * Checks the endpoints of a heartbeat. An endpoint may be dialled if its address is the source address of the
 * heartbeat, or is in `worker_networks`. The server's embedded worker may report any address.
 */
export function createEndpointCheck(
  { trusted_proxies, worker_networks }: EndpointSettings,
): CheckEndpoints {
  const addressOf = clientAddress(trusted_proxies);
  const isAllowed = networkMatcher(worker_networks);
  const isProxy = networkMatcher(trusted_proxies);
  return function checkEndpoints(c, body) {
    if (isSelf(callerIn(c))) return body;
    const peer = addressOf(c);
    const isHidden =
      PROXY_HEADERS.some((name) => c.req.header(name) !== undefined) &&
      !isProxy(peerAddress(c) ?? "");
    const seen = isHidden ? undefined : peer;
    const isOwn = seen === undefined ? () => false : matchSameHost(seen);
    const isDialable = (host: string) => isOwn(host) || isAllowed(host);
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
  if (endpoint === undefined || isDialable(hostName(new URL(endpoint)))) {
    return report;
  }
  return { ...report, endpoint: throughTunnelOnly(endpoint) };
}

/**
 * Every loopback address is the same machine. A host name never matches, because it may resolve to another address
 * later.
 */
function matchSameHost(seen: string): (host: string) => boolean {
  return isLoopback(seen) ? isLoopback : networkMatcher([seen]);
}
