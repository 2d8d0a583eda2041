/**
 * The project's browser image, which `browsergrid docker build-image` builds, as providers of containers start it.
 *
 * Its command is Chromium's arguments. The head of `docker/image/entrypoint.sh` lists its variables.
 *
 * @module
 */
import {
  type BrowserSpec,
  displaySize,
  type Proxy,
} from "../../core/browser_spec.ts";

/** Port on which the image serves CDP. */
export const IMAGE_CDP_PORT = 9222;

/** Entrypoint of the image, for engines whose command replaces it. */
export const IMAGE_ENTRYPOINT: readonly string[] = [
  "/bin/sh",
  "/usr/local/bin/browsergrid-entrypoint",
];

/** Returns the variables of the image's forwarder. They contain the credentials. */
export function createForwarderVariables(proxy: Proxy): Record<string, string> {
  const { hostname, port } = new URL(proxy.proxy_url);
  const credentials = `${proxy.proxy_username ?? ""}:${
    proxy.proxy_password ?? ""
  }`;
  return {
    BROWSERGRID_PROXY_ADDRESS: `${hostname}:${port || "80"}`,
    BROWSERGRID_PROXY_CREDENTIALS: new TextEncoder().encode(credentials)
      .toBase64(),
  };
}

/** Returns the variables of the image's virtual display; none for a headless browser. */
export function createDisplayVariables(
  { headless, screen }: Pick<BrowserSpec, "headless" | "screen">,
): Record<string, string> {
  if (headless) return {};
  const { width, height } = displaySize(screen);
  return {
    BROWSERGRID_DISPLAY: `${width}x${height}x24`,
    BROWSERGRID_DPI: String(screen.dpi),
  };
}
