import {
  argumentName,
  type BrowserSpec,
  devicePixels,
  type Screen,
} from "../../core/browser_spec.ts";

/** Options that differ between providers. */
export interface ChromiumFlagOptions {
  /** Proxy that replaces the session's, such as one on loopback that adds credentials; `null` means no proxy. */
  readonly proxyServer?: string | null;
  /** Additional flags of the provider and of the pool's configuration. */
  readonly more?: readonly string[];
}

/** Flags whose values are lists. */
const LISTS: ReadonlySet<string> = new Set([
  "--disable-blink-features",
  "--disable-features",
  "--enable-blink-features",
  "--enable-features",
]);

/** Flags of every session. The comments state the effect of leaving them out. */
const ALWAYS: readonly string[] = [
  // Dialogs and pages of a first start open in front of the client's page.
  "--no-first-run",
  "--no-default-browser-check",
  "--disable-search-engine-choice-screen",
  // No person can type the password of a key ring.
  "--password-store=basic",
  "--use-mock-keychain",
  // Traffic and load that no client requested.
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-default-apps",
  "--disable-sync",
  "--metrics-recording-only",
  "--disable-breakpad",
  // A process for each browser, which handles its crashes: 5 % of the work of a start.
  "--disable-crash-reporter",
  "--disable-domain-reliability",
  "--disable-client-side-phishing-detection",
  // Console messages of pages would not be part of the output.
  "--enable-logging=stderr",
  // Chromium fetches components on demand even if updates are off, and requests a list of accounts in each new profile.
  // No flag disables either; Chromium refuses to dial the port of these addresses.
  "--component-updater=url-source=http://127.0.0.1:1/",
  "--gaia-url=http://127.0.0.1:1/",
  // Background pages must run at full speed, because several clients share one browser.
  "--disable-background-timer-throttling",
  "--disable-backgrounding-occluded-windows",
  "--disable-renderer-backgrounding",
  "--disable-hang-monitor",
  // Dialogs that only a person can close.
  "--disable-popup-blocking",
  "--disable-prompt-on-repost",
  // Info bars about unusual flags, which reduce the height of pages. ChromeDriver passes this flag too.
  "--test-type",
  `--disable-features=${
    [
      // Google services that no client requested.
      "Translate",
      "MediaRouter",
      "OptimizationHints",
      "DialMediaRouteProvider",
      // Requests at start, for the time and for the features of the search engine.
      "NetworkTimeServiceQuerying",
      "AimServerRequestOnStartupEnabled",
      // Requests for each page with a form, for the meaning of its fields.
      "AutofillServerCommunication",
      // Parts of the window that are separate pages: half of the work of a start, and targets that clients see.
      "WebUIOmniboxPopup",
      "WebUIOmniboxAimPopup",
      "WebUIReloadButton",
    ].join(",")
  }`,
];

/**
 * Returns Chromium's flags for a session, each name once and without secrets.
 *
 * Flags of the provider and the pool override the general ones, and the session's arguments override both.
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

/**
 * Returns `all` with each flag once, because Chromium uses only the last of several with one name. The last one wins,
 * but lists of features are joined. Arguments that do not begin with `--` are kept unchanged.
 */
export function mergeFlags(all: readonly string[]): string[] {
  const merged = new Map<string | number, string>();
  for (const [at, flag] of all.entries()) {
    const key = flag.startsWith("--") ? argumentName(flag) : at;
    const before = merged.get(key);
    const isList = typeof key === "string" && LISTS.has(key);
    merged.set(key, isList && before ? joinValues(before, flag) : flag);
  }
  return [...merged.values()];
}

/** Joins the values of two flags with one name. */
function joinValues(first: string, second: string): string {
  const name = argumentName(first);
  const values = [first, second].map((flag) => flag.slice(name.length + 1))
    .filter((value) => value !== "");
  return `${name}=${values.join(",")}`;
}
