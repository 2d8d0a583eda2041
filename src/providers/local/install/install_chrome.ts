import { join } from "node:path";
import { abortable } from "../../../async/abortable.ts";
import { Watchdog } from "../../../async/watchdog.ts";
import type { FoundBrowser } from "../find_browser.ts";
import { unpackInto } from "./unpack_into.ts";

const NAME = "chrome";

/** How long the list of Chrome's versions may take; a firewall that drops packets would be waited for for minutes. */
const VERSIONS_TIMEOUT_MS = 15_000;

/** How long a download may go on without getting anywhere. */
const STALL_MS = 120_000;

/** How long it may take to unpack. */
const UNPACK_MS = 600_000;

/** How {@linkcode installChrome} goes on and is given up. */
export interface InstallOptions {
  readonly onProgress: (line: string) => void;
  /** The newest stable one by default. */
  readonly buildId?: string;
  /** Where it is downloaded from; Google by default. */
  readonly baseUrl?: string;
  /** @default {120_000} */
  readonly stallMs?: number;
}

/** Chrome for Testing that was installed earlier. @param folder Where browsers are installed. */
export async function findInstalledChrome(
  folder: string,
): Promise<FoundBrowser | undefined> {
  if (!await exists(join(folder, NAME))) return undefined;
  const { Browser, getInstalledBrowsers } = await import("@puppeteer/browsers");
  const all = await getInstalledBrowsers({ cacheDir: folder });
  const path = all.filter(({ browser }) => browser === Browser.CHROME)
    .at(-1)?.executablePath;
  if (path === undefined || !await exists(path)) return undefined;
  return {
    path,
    source: "installed Chrome for Testing",
    headlessOnly: false,
  };
}

/**
 * Downloads and installs Chrome for Testing.
 *
 * @throws {Error} If it cannot be had, or if the download gets nowhere for two minutes.
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
  using patience = new Watchdog(VERSIONS_TIMEOUT_MS);
  return await abortable(
    resolveBuildId(Browser.CHROME, platform, "stable"),
    patience.signal,
  );
}

/** Downloads it below `folder` and unpacks it there; a download that is given up may go on until its folder is gone. */
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

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
