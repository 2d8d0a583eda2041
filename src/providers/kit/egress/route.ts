import type { Proxy } from "../../../core/browser_spec.ts";
import {
  type DialOptions,
  dialTarget,
  type EgressRoute,
  findAllowedAddresses,
} from "./dial_target.ts";
import { type ProxyRequest, renderOriginHead } from "./proxy_request.ts";
import { openUpstreamRoute } from "./upstream_route.ts";

/** Options of {@linkcode openEgressRoute} that are the same for all requests. */
export interface EgressRouteOptions
  extends Pick<DialOptions, "filter" | "resolve"> {
  /** Proxy for all connections. */
  readonly upstream?: Proxy | undefined;
}

/**
 * Opens the connection for a request: to an address that the filter allows, or through the upstream proxy.
 *
 * Names are resolved here, and the connection uses exactly the address that was checked. An upstream proxy at a public
 * address resolves names itself, since its network is not the worker's.
 *
 * @throws {ProxyProblem} 403 - not allowed, 502 - the connection fails.
 */
export async function openEgressRoute(
  request: ProxyRequest,
  { upstream, ...options }: EgressRouteOptions & DialOptions,
): Promise<EgressRoute> {
  if (upstream) return await openUpstreamRoute(request, upstream, options);
  const { target } = request;
  const addresses = await findAllowedAddresses(target, options);
  const socket = await dialTarget(target, addresses, options.signal);
  const head = request.isTunnel ? undefined : renderOriginHead(request);
  return { socket, head, early: new Uint8Array() };
}
