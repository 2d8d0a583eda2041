/**
 * Where browsers may be dialled. A worker reports each browser's address; the server connects to it only if it is the
 * worker's own, so that no worker can have it reach a service of another host.
 *
 * @module
 */
import type { Context } from "hono";
import { callerIn } from "../../core/access.ts";
import { isSelf } from "../../core/auth.ts";
import {
  clientAddress,
  networkMatcher,
  peerAddress,
} from "../../core/client_address.ts";
import { hostName } from "../../core/host_name.ts";
import { isLoopback } from "../../core/loopback.ts";
import type { GridEnv } from "../../core/middleware.ts";
import type { Settings } from "../../core/settings.ts";
import { throughTunnelOnly } from "../../core/tunnel_endpoint.ts";
import type { SessionReport } from "../sessions/schemas.ts";
import type { HeartbeatBody } from "./schemas.ts";

/** Headers of proxies. From one that is not trusted, the address of a connection is not the worker's. */
const PROXY_HEADERS = ["forwarded", "x-forwarded-for", "via"];

/** Settings that say what may be dialled. */
export type EndpointSettings = Pick<
  Settings,
  "trusted_proxies" | "worker_networks"
>;

/** Makes every report say whether its endpoint may be dialled. */
export type CheckEndpoints = (
  c: Context<GridEnv>,
  body: HeartbeatBody,
) => HeartbeatBody;

/**
 * Checks the endpoints of a heartbeat. They may be dialled when they are at the address that the heartbeat comes from,
 * or in `worker_networks`. The server's own worker, in the same process, may report any.
 */
export function endpointCheck(
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
    const isOwn = seen === undefined ? () => false : sameHostAs(seen);
    const isDialable = (host: string) => isOwn(host) || isAllowed(host);
    return {
      ...body,
      sessions: body.sessions.map((report) => checked(report, isDialable)),
    };
  };
}

function checked(
  report: SessionReport,
  isDialable: (host: string) => boolean,
): SessionReport {
  const { endpoint } = report;
  if (endpoint === undefined || isDialable(hostName(new URL(endpoint)))) {
    return report;
  }
  return { ...report, endpoint: throughTunnelOnly(endpoint) };
}

/** Every loopback address is the same machine. A name is none: what it leads to may change. */
function sameHostAs(seen: string): (host: string) => boolean {
  return isLoopback(seen) ? isLoopback : networkMatcher([seen]);
}
