import { join } from "node:path";
import { abortable } from "../../../async/abortable.ts";
import { Watchdog } from "../../../async/watchdog.ts";
import type { FoundBrowser } from "../find_browser.ts";
import { pathExists } from "../path_exists.ts";
import { unpackInto } from "./unpack_into.ts";

const NAME = "chrome";

/** Timeout of the list of Chrome's versions. Without it, a firewall that drops packets would cause a wait of minutes. */
const VERSIONS_TIMEOUT_MS = 15_000;

/** Time without progress after which a download fails. */
const STALL_MS = 120_000;

/** Timeout of the unpacking. */
const UNPACK_MS = 600_000;

/** Options of {@linkcode installChrome}. */
export interface InstallOptions {
  readonly onProgress: (line: string) => void;
  /** @default {the newest stable build} */
  readonly buildId?: string;
  /** URL of the download server. @default {Google's} */
  readonly baseUrl?: string;
  /** Time without progress after which the download fails. @default {120_000} */
  readonly stallMs?: number;
}

/** Returns the Chrome for Testing that was installed in `folder`; undefined if there is none. */
export async function findInstalledChrome(
  folder: string,
): Promise<FoundBrowser | undefined> {
  if (!await pathExists(join(folder, NAME))) return undefined;
  const { Browser, getInstalledBrowsers } = await import("@puppeteer/browsers");
  const all = await getInstalledBrowsers({ cacheDir: folder });
  const path = all.filter(({ browser }) => browser === Browser.CHROME)
    .at(-1)?.executablePath;
  if (path === undefined || !await pathExists(path)) return undefined;
  return {
    path,
    source: "installed Chrome for Testing",
    headlessOnly: false,
  };
}

/**
 * Downloads and installs Chrome for Testing.
 *
 * @throws {Error} If it cannot be downloaded, or there is no progress for `stallMs`.
 */
export async function installChrome(
  folder: string,
  options: InstallOptions,
): Promise<FoundBrowser> {
  options.onProgress("Installing Chrome for Testing");
  const buildId = options.buildId ?? await findNewestBuild();
  const browser = await unpackInto(folder, {
    name: NAME,
    unpack: (fresh) => download(fresh, { ...options, buildId }),
    find: () => findInstalledChrome(folder),
  });
  if (!browser) throw new Error("Chrome for Testing was not unpacked");
  return browser;
}

async function findNewestBuild(): Promise<string> {
  const { Browser, resolveBuildId, detectBrowserPlatform } = await import(
    "@puppeteer/browsers"
  );
  const platform = detectBrowserPlatform();
  if (!platform) throw new Error("No build for this platform");
  using timeout = new Watchdog(VERSIONS_TIMEOUT_MS);
  return await abortable(
    resolveBuildId(Browser.CHROME, platform, "stable"),
    timeout.signal,
  );
}

/** Downloads and unpacks a build in `folder`. An abandoned download may continue until its folder is removed. */
async function download(
  folder: string,
  { buildId, baseUrl, onProgress, stallMs = STALL_MS }:
    & InstallOptions
    & { readonly buildId: string },
): Promise<string> {
  const { Browser, install } = await import("@puppeteer/browsers");
  using watchdog = new Watchdog(stallMs);
  let shown = -1;
  const installing = install({
    browser: Browser.CHROME,
    buildId,
    cacheDir: folder,
    ...(baseUrl !== undefined && { baseUrl }),
    downloadProgressCallback(done, total) {
      watchdog.feed(done < total ? stallMs : UNPACK_MS);
      const tenth = Math.floor(done / total * 10);
      if (tenth === shown) return;
      shown = tenth;
      onProgress(`Installing Chrome for Testing ${buildId}: ${tenth * 10} %`);
    },
  });
  await abortable(installing, watchdog.signal);
  return join(folder, NAME);
}
