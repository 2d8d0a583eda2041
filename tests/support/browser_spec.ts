import type { BrowserSpec } from "../../src/core/browser_spec.ts";

/** A headless Chromium without limits, except for what is given. */
export function browserSpec(given: Partial<BrowserSpec> = {}): BrowserSpec {
  return {
    browser: "chromium",
    version: "latest",
    headless: true,
    screen: { width: 1000, height: 600, dpi: 96, scale: 1 },
    environment: {},
    arguments: [],
    isolated: false,
    egress: { mode: "open", allow: [], pool: "test" },
    ...given,
  };
}
