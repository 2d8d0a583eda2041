import type { Proxy } from "../../core/browser_spec.ts";
import { type EgressProxy, startEgressProxy } from "./egress/proxy.ts";

/**
 * Starts a forwarder on loopback that adds the credentials of `proxy`. A browser has no flag for them; it asks in a
 * dialogue.
 */
export function startAuthProxy(proxy: Proxy): Promise<EgressProxy> {
  return startEgressProxy({ upstream: proxy });
}
