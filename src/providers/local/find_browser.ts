import { join } from "node:path";

/** A browser of a host. */
export interface FoundBrowser {
  readonly path: string;
  /** Description of the place where it was found. */
  readonly source: string;
  /** True if it has no window. */
  readonly headlessOnly: boolean;
  /** Environment variables without which it does not run. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** The properties of a host that the search depends on. */
export interface HostEnvironment {
  readonly os: typeof Deno.build.os;
  readonly env: (name: string) => string | undefined;
  /** Reports whether a path is an executable file. */
  readonly isFile: (path: string) => Promise<boolean>;
}

/** The host of this process. Together with the settings the only code that reads environment variables. */
export const thisHost: HostEnvironment = {
  os: Deno.build.os,
  env: (name) => Deno.env.get(name),
  isFile: async (path) => await Deno.stat(path).then(isProgram, () => false),
};

/** Reports whether a file is executable. On systems without file modes every file counts. */
function isProgram({ isFile, mode }: Deno.FileInfo): boolean {
  return isFile && (mode === null || (mode & 0o111) !== 0);
}

const NAMES = [
  "google-chrome-stable",
  "google-chrome",
  "chrome",
  "chromium",
  "chromium-browser",
  "microsoft-edge",
];

/** Usual paths by operating system; `%NAME%` stands for a variable. */
const KNOWN: Partial<Record<typeof Deno.build.os, readonly string[]>> = {
  linux: [
    "/opt/google/chrome/chrome",
    "/usr/lib/chromium/chromium",
    "/usr/lib/chromium-browser/chromium-browser",
    "/snap/bin/chromium",
    "/var/lib/flatpak/exports/bin/org.chromium.Chromium",
  ],
  darwin: [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "%HOME%/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
  ],
  windows: [
    "%PROGRAMFILES%\\Google\\Chrome\\Application\\chrome.exe",
    "%PROGRAMFILES(X86)%\\Google\\Chrome\\Application\\chrome.exe",
    "%LOCALAPPDATA%\\Google\\Chrome\\Application\\chrome.exe",
    "%LOCALAPPDATA%\\Chromium\\Application\\chrome.exe",
    "%PROGRAMFILES(X86)%\\Microsoft\\Edge\\Application\\msedge.exe",
  ],
};

/**
 * Programs that packages of Linux distributions start through a script, by the path of the script. Debian's takes 25 ms
 * of each start, and evaluates some arguments like a shell.
 */
const BEHIND_SCRIPT: Readonly<Record<string, string>> = {
  "/usr/bin/chromium": "/usr/lib/chromium/chromium",
  "/usr/bin/google-chrome-stable": "/opt/google/chrome/chrome",
  "/usr/bin/google-chrome": "/opt/google/chrome/chrome",
  "/usr/bin/microsoft-edge": "/opt/microsoft/msedge/msedge",
};

/**
 * Finds a browser: at the configured path, at `CHROME_PATH`, on the `PATH`, or at a usual path, in this order.
 * A program that the `PATH` has as a script of its package is used without the script.
 *
 * @throws {Error} If there is no program at the configured path or at `CHROME_PATH`.
 */
export async function findBrowser(
  configured: string | undefined,
  host: HostEnvironment = thisHost,
): Promise<FoundBrowser | undefined> {
  const required = configured ?? host.env("CHROME_PATH");
  if (required) {
    const source = configured ? "executable_path of the pool" : "CHROME_PATH";
    if (await host.isFile(required)) return toFoundBrowser(required, source);
    throw new Error(
      `Cannot use the browser "${required}" (${source}): there is no such program, expected the path of Chrome or Chromium`,
    );
  }
  for (const [path, source] of listCandidates(host)) {
    if (await host.isFile(path)) {
      return toFoundBrowser(await skipScript(path, host), source);
    }
  }
}

/** Returns the program that the script at `path` starts; `path` if it is none of a package. */
async function skipScript(
  path: string,
  host: HostEnvironment,
): Promise<string> {
  const program = host.os === "linux" ? BEHIND_SCRIPT[path] : undefined;
  return program && await host.isFile(program) ? program : path;
}

/** Returns the path of the program `name` on the `PATH`; undefined if there is none. */
export async function findProgram(
  name: string,
  host: HostEnvironment = thisHost,
): Promise<string | undefined> {
  for (const path of listOnPath([name], host)) {
    if (await host.isFile(path)) return path;
  }
}

function toFoundBrowser(path: string, source: string): FoundBrowser {
  return { path, source, headlessOnly: /headless[_-]shell/.test(path) };
}

function listCandidates(host: HostEnvironment): readonly [string, string][] {
  const known = (KNOWN[host.os] ?? []).map((path) =>
    path.replace(/%([^%]+)%/, (_, name: string) => host.env(name) ?? "")
  );
  return [
    ...listOnPath(NAMES, host).map((path): [string, string] => [path, "PATH"]),
    ...known.map((path): [string, string] => [path, "known folder"]),
  ];
}

function listOnPath(names: readonly string[], host: HostEnvironment): string[] {
  const separator = host.os === "windows" ? ";" : ":";
  const suffix = host.os === "windows" ? ".exe" : "";
  const folders = (host.env("PATH") ?? "").split(separator).filter(Boolean);
  return names.flatMap((name) =>
    folders.map((folder) => join(folder, name + suffix))
  );
}
