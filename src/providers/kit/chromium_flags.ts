import {
  type BrowserSpec,
  devicePixels,
  type Screen,
} from "../../core/browser_spec.ts";
import { mergeFlags } from "./merged_flags.ts";

/** What differs between the providers that start Chromium. */
export interface ChromiumFlagOptions {
  /** Proxy that Chromium is given instead of the session's, e.g. one on the loopback that adds credentials; `null`: none is given. */
  readonly proxyServer?: string | null;
  /** Flags of the provider and of its pool's configuration. */
  readonly more?: readonly string[];
}

/** Flags that every session has. The comment tells what goes wrong without. */
const ALWAYS: readonly string[] = [
  // Dialogues and pages of a first start stand before the client's page.
  "--no-first-run",
  "--no-default-browser-check",
  "--disable-search-engine-choice-screen",
  // Nobody can type the password of a key ring.
  "--password-store=basic",
  "--use-mock-keychain",
  // Traffic and load that no client asked for.
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-default-apps",
  "--disable-sync",
  "--metrics-recording-only",
  "--disable-breakpad",
  "--disable-domain-reliability",
  "--disable-client-side-phishing-detection",
  // Chromium fetches components on demand even if updates are off, and requests a list of accounts in each new profile.
  // No flag disables either; Chromium refuses to dial the port of these addresses.
  "--component-updater=url-source=http://127.0.0.1:1/",
  "--gaia-url=http://127.0.0.1:1/",
  // A page that is not in front must run as if it were: several clients share one browser.
  "--disable-background-timer-throttling",
  "--disable-backgrounding-occluded-windows",
  "--disable-renderer-backgrounding",
  "--disable-hang-monitor",
  // Boxes that only a person can close.
  "--disable-popup-blocking",
  "--disable-prompt-on-repost",
  // Info bars about unusual flags, which reduce the height of pages. ChromeDriver passes this flag too.
  "--test-type",
  `--disable-features=${
    [
      // Services of Google that no client asked for.
      "Translate",
      "MediaRouter",
      "OptimizationHints",
      "DialMediaRouteProvider",
      // Requests at start: the time, and the features of the search engine.
      "NetworkTimeServiceQuerying",
      "AimServerRequestOnStartupEnabled",
      // Requests for each page with a form: the meaning of its fields.
      "AutofillServerCommunication",
      // Parts of the window that are pages of their own: half of the work of a start, and targets that clients see.
      "WebUIOmniboxPopup",
      "WebUIOmniboxAimPopup",
      "WebUIReloadButton",
    ].join(",")
  }`,
];

/**
 * Flags by which Chromium becomes what a session asks for, each named once; secrets are never among them.
 *
 * Of one name the provider's and the pool's counts more than the usual one, and the session's own argument most.
 */
export function renderChromiumFlags(
  spec: BrowserSpec,
  { proxyServer, more = [] }: ChromiumFlagOptions = {},
): string[] {
  const { width, height, scale } = spec.screen;
  const proxy = proxyServer === undefined
    ? spec.proxy?.proxy_url
    : proxyServer ?? undefined;
  return mergeFlags([
    ...ALWAYS,
    ...(spec.headless
      ? ["--headless=new", "--hide-scrollbars", renderScreenInfo(spec.screen)]
      // There is no GPU. Headless browsers draw WebGL in software by default.
      : ["--enable-unsafe-swiftshader"]),
    `--window-size=${width},${height}`,
    "--window-position=0,0",
    ...(scale === 1 ? [] : [`--force-device-scale-factor=${scale}`]),
    ...(proxy === undefined ? [] : [`--proxy-server=${proxy}`]),
    ...more,
    ...spec.arguments,
  ]);
}

/** Returns the screen flag of a headless browser, whose default is 800 by 600. The scale has a separate flag. */
function renderScreenInfo(screen: Screen): string {
  const { width, height } = devicePixels(screen);
  return `--screen-info={${width}x${height}}`;
}
