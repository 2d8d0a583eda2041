import { createReadStream, createWriteStream } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { createBrotliDecompress } from "node:zlib";
import config from "../../../../deno.json" with { type: "json" };
import { createChildEnvironment } from "../../kit/child_environment.ts";
import type { FoundBrowser } from "../find_browser.ts";
import { pathExists } from "../path_exists.ts";
import { findInstalledChrome, installChrome } from "./install_chrome.ts";
import { unpackInto } from "./unpack_into.ts";

/** Receives progress messages. */
type Progress = (line: string) => void;

const HEADLESS_SHELL = "@sparticuz/chromium";

/** Its specifier, which needs no import map: a bundle has none. */
const SHELL_SPECIFIER: string = config.imports[HEADLESS_SHELL];

/** Name of the headless shell's folder in the folder of browsers. */
const SHELL_FOLDER = "headless_shell";

const SYSTEM_FONTS = "/etc/fonts/fonts.conf";

/** Replaces the package's configuration, which contains the font folder of AWS Lambda. */
const FONTS_CONF = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir prefix="relative">fonts_cache</cachedir>
</fontconfig>
`;

/** Returns the browser that was installed in `folder`; undefined if there is none. */
export async function findInstalledBrowser(
  folder: string,
): Promise<FoundBrowser | undefined> {
  return await findInstalledChrome(folder) ?? await findInstalledShell(folder);
}

/**
 * Installs Chrome for Testing. If it cannot be downloaded on Linux x64, installs the headless shell of an npm package.
 *
 * @throws {Error} If neither can be installed; contains the next step.
 */
export async function installBrowser(
  folder: string,
  onProgress: Progress,
): Promise<FoundBrowser> {
  try {
    return await installChrome(folder, { onProgress });
  } catch (cause) {
    const isLinux = Deno.build.os === "linux" && Deno.build.arch === "x86_64";
    if (!isLinux) throw createInstallError(cause);
    onProgress("Chrome for Testing cannot be downloaded here");
    return await installShell(folder, onProgress).catch((error) => {
      throw createInstallError(error);
    });
  }
}

function createInstallError(cause: unknown): Error {
  return new Error(
    "Cannot install a browser: none can be downloaded here, expected Chrome or Chromium on the PATH or in CHROME_PATH",
    { cause },
  );
}

/** Returns the headless shell below `folder`; undefined if there is none. It is complete, because it was moved there in one step. */
async function findInstalledShell(
  folder: string,
): Promise<FoundBrowser | undefined> {
  const home = join(folder, SHELL_FOLDER);
  const path = join(home, "chromium");
  if (!await pathExists(path)) return undefined;
  return {
    path,
    source: `headless shell of ${HEADLESS_SHELL}`,
    headlessOnly: true,
    variables: {
      LD_LIBRARY_PATH: join(home, "lib"),
      // The system's fonts are better, if it has any.
      ...(await pathExists(SYSTEM_FONTS) ? {} : { FONTCONFIG_PATH: home }),
    },
  };
}

/** Installs the headless shell of the npm package. */
export async function installShell(
  folder: string,
  onProgress: Progress,
): Promise<FoundBrowser> {
  onProgress(`Installing the headless shell of ${HEADLESS_SHELL}`);
  const archives = await findShellArchives();
  const browser = await unpackInto(folder, {
    name: SHELL_FOLDER,
    unpack: async (fresh) => {
      await unpackShell(archives, fresh);
      return fresh;
    },
    find: () => findInstalledShell(folder),
  });
  if (!browser) throw new Error("The headless shell was not unpacked");
  return browser;
}

/** Unpacks the browser, its libraries, its software renderer (expected in the same folder) and its fonts. */
async function unpackShell(archives: string, folder: string): Promise<void> {
  const path = join(folder, "chromium");
  await unpack(join(archives, "chromium.br"), path);
  await Deno.chmod(path, 0o755);
  for (const name of ["al2023", "swiftshader", "fonts"]) {
    await untar(join(archives, `${name}.tar.br`), folder);
  }
  await Deno.writeTextFile(join(folder, "fonts.conf"), FONTS_CONF);
}

/** Returns the package's folder of archives. Only this import downloads the package, which is large and rarely needed. */
async function findShellArchives(): Promise<string> {
  await import(SHELL_SPECIFIER);
  const main = fileURLToPath(import.meta.resolve(SHELL_SPECIFIER));
  for (const levels of ["..", "../..", "../../.."]) {
    const candidate = join(main, levels, "bin");
    if (await pathExists(join(candidate, "chromium.br"))) return candidate;
  }
  throw new Error(`Cannot find the archives of ${HEADLESS_SHELL}`);
}

/** Decompresses a file into another. */
async function unpack(archive: string, path: string): Promise<void> {
  await pipeline(
    createReadStream(archive),
    createBrotliDecompress(),
    createWriteStream(path),
  );
}

/** Unpacks an archive with `tar`, which every Linux has; the package is for Linux only. */
async function untar(archive: string, folder: string): Promise<void> {
  const path = join(folder, "archive.tar");
  await unpack(archive, path);
  const { success } = await new Deno.Command("tar", {
    // The option o makes the current user the owner, also for root.
    args: ["-xof", path, "-C", folder],
    clearEnv: true,
    env: createChildEnvironment(),
    stderr: "null",
  }).output();
  await Deno.remove(path);
  if (!success) throw new Error(`Cannot unpack "${archive}"`);
}
