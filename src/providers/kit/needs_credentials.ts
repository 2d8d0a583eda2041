import type { Proxy } from "../../core/browser_spec.ts";

/**
 * Reports whether the proxy needs credentials, for which Chromium has a dialog but no flag.
 *
 * The project's image then runs a forwarder that adds them. It runs in the container and not in the worker, so that it
 * works with remote engines and lives as long as the browser.
 */
export function needsCredentials(proxy: Proxy | undefined): proxy is Proxy {
  return proxy?.proxy_username !== undefined ||
    proxy?.proxy_password !== undefined;
}
