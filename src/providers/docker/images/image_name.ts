import type { Browser } from "../../../core/browser_spec.ts";

/** What most sessions ask for. */
const USUAL = { browser: "chromium", version: "latest" } as const;

/** Name of the image for a browser: `{browser}` and `{version}` in the pool's setting are replaced. */
export function expandImageName(
  template: string,
  spec: { readonly browser: Browser; readonly version: string } = USUAL,
): string {
  return template
    .replaceAll("{browser}", spec.browser)
    .replaceAll("{version}", spec.version);
}
