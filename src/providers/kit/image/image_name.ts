import type { Browser } from "../../../core/browser_spec.ts";

/** The most frequent request of sessions. */
const DEFAULT_REQUEST = { browser: "chromium", version: "latest" } as const;

/** Returns the name of the image for a browser: replaces `{browser}` and `{version}` in the pool's setting. */
export function expandImageName(
  template: string,
  spec: { readonly browser: Browser; readonly version: string } =
    DEFAULT_REQUEST,
): string {
  return template
    .replaceAll("{browser}", spec.browser)
    .replaceAll("{version}", spec.version);
}
