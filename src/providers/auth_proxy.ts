import type { Proxy } from "../core/browser_spec.ts";
import { type EgressProxy, startEgressProxy } from "./kit/egress_proxy.ts";

/**
 * Starts a forwarder on the loopback before `proxy` that adds its credentials, which a browser takes from nobody but a
 * person.
 */
export function startAuthProxy(proxy: Proxy): Promise<EgressProxy> {
  return startEgressProxy({ upstream: proxy });
}
