/**
 * The command that starts a browser in a box: two nested sandboxes, with the browser in the inner one.
 *
 * ```text
 * worker --> cdp.sock - socat -> 127.0.0.1:9222 +
 * worker's egress proxy <- egress.sock - socat - 127.0.0.1:3128 <- Chromium
 *   outer: network with a loopback only, the host's files     | inner: small separate root, no rights
 * ```
 *
 * The forwarders share the browser's network but not its files: the inner sandbox contains no folder with a socket of
 * the worker, where a compromised browser could create a link. The inner sandbox has its own process namespace, because
 * the forwarders have the same user, and their /proc would expose the host's files.
 *
 * The outer sandbox survives the worker, so that the next process can adopt it. It is ended by its process group:
 * killing only its first process would leave the others running.
 *
 * @module
 */
import { homedir } from "node:os";
import { dirname } from "node:path";
import type { BoxFolder } from "./box_folder.ts";
import type { BoxPrograms } from "./box_programs.ts";
import { renderUserSwitch } from "./box_user.ts";

/** Debugging port of the browser in its own network. */
const CDP_PORT = 9222;

/** Port of the proxy in the box's network. */
const PROXY_PORT = 3128;

/** Maximum size of each in-memory file system of the box; the kernel's default is half of the machine's memory. */
const MEMORY_BYTES = String(2 * 2 ** 30);

/** Argument that precedes the session's folder in the command line of a box. */
export const BOX_MARKER = "browsergrid-box";

/** Path of the display's secret in the box. */
const AUTHORITY = "/run/authority";

/** Files and folders of the host that the box shows read-only, if they exist. */
const SHOWN = [
  ...["/etc/chromium.d", "/etc/chromium", "/etc/opt/chrome"],
  ...["/etc/alternatives", "/etc/localtime", "/etc/ld.so.cache"],
  ...["/etc/mime.types", "/etc/fonts", "/var/cache/fontconfig"],
  ...["/etc/ssl/certs", "/etc/pki/ca-trust", "/etc/pki/tls/certs"],
];

/** Read-only folders: each is kept in memory and could be filled up to half of the machine's. The root comes last. */
const READ_ONLY = ["/usr/local", "/run", "/dev", "/"];

/** Flags that replace the usual ones for a browser in a box. */
export const BOX_FLAGS: readonly string[] = [
  `--remote-debugging-port=${CDP_PORT}`,
  "--user-data-dir=/profile/d",
  // Without this, pages would reach the browser's own debugging port without the proxy.
  "--proxy-bypass-list=<-loopback>",
];

/** The proxy of a browser in a box. */
export const BOX_PROXY = `http://127.0.0.1:${PROXY_PORT}`;

/** Environment variables of a browser in a box. */
export const BOX_VARIABLES: Readonly<Record<string, string>> = {
  HOME: "/profile",
  TMPDIR: "/tmp",
  PATH: "/usr/bin:/bin",
};

/** Options of {@linkcode renderBoxCommand}. */
export interface BoxCommandOptions {
  readonly programs: BoxPrograms;
  readonly box: BoxFolder;
  /** Folder of the session; part of the command line. */
  readonly folder: string;
  readonly userId: number | undefined;
  /** Path of the browser, and the targets of the links on it. */
  readonly browser: readonly string[];
  /** Name of the display, such as `:99`. */
  readonly display?: string | undefined;
}

/**
 * Runs the forwarders and the inner sandbox, and ends with the latter. All processes of the namespace then end; `kill`
 * affects no others.
 */
const SCRIPT = `umask 077; cd /; cdp=$2 egress=$3 socat=$4; shift 4
"$@" & browser=$!
"$socat" "UNIX-LISTEN:$cdp,fork,unlink-early,backlog=128,max-children=64" TCP4:127.0.0.1:${CDP_PORT},nodelay 2>/dev/null >&2 </dev/null &
"$socat" TCP4-LISTEN:${PROXY_PORT},bind=127.0.0.1,fork,reuseaddr,nodelay,backlog=128,max-children=128 "UNIX-CONNECT:$egress" 2>/dev/null >&2 </dev/null &
wait $browser; code=$?
[ "$$" -lt 10 ] && kill -9 -1
exit $code`;

/** Returns the command line that precedes the browser's path and flags. */
export function renderBoxCommand(
  options: BoxCommandOptions,
): readonly string[] {
  const { programs, box, folder, userId } = options;
  return [
    ...renderUserSwitch(programs.setpriv, userId),
    programs.bwrap,
    ...["--dev-bind", "/", "/", "--proc", "/proc", "--unshare-user"],
    ...["--unshare-net", "--unshare-pid", "--unshare-ipc", "--"],
    ...["/bin/sh", "-c", SCRIPT, BOX_MARKER, folder],
    ...[box.cdpSocket, box.egressSocket, programs.socat],
    programs.bwrap,
    ...renderInnerArguments(options),
    "--",
  ];
}

function renderInnerArguments(
  { box, folder, browser, display }: BoxCommandOptions,
): readonly string[] {
  return [
    ...["--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts"],
    ...["--unshare-cgroup-try", "--die-with-parent"],
    ...["--ro-bind", "/usr", "/usr", "--tmpfs", "/usr/local"],
    ...["--symlink", "usr/bin", "/bin", "--symlink", "usr/sbin", "/sbin"],
    ...["--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64"],
    ...SHOWN.flatMap((path) => ["--ro-bind-try", path, path]),
    ...["--proc", "/proc", "--dev", "/dev"],
    ...["--size", MEMORY_BYTES, "--tmpfs", "/dev/shm"],
    ...["--size", MEMORY_BYTES, "--tmpfs", "/tmp"],
    ...["--tmpfs", "/run", "--dir", "/var/tmp"],
    ...findBrowserPaths(browser, folder).flatMap((path) => [
      ...["--ro-bind", path, path],
    ]),
    ...["--bind", box.profile, "/profile", "--chdir", "/profile"],
    ...["--hostname", "browser"],
    ...(display === undefined ? [] : renderDisplayArguments(box, display)),
    ...READ_ONLY.flatMap((path) => ["--remount-ro", path]),
  ];
}

/** Each box has its own display: clients of a shared display can read each other's keyboard input. */
function renderDisplayArguments(
  box: BoxFolder,
  display: string,
): readonly string[] {
  const socket = `/tmp/.X11-unix/X${display.slice(1)}`;
  return [
    ...["--ro-bind", socket, "/tmp/.X11-unix/X0"],
    ...["--ro-bind", box.authority, AUTHORITY],
  ];
}

/** Variables that name the display to a browser in a box. */
export const BOX_DISPLAY_VARIABLES: Readonly<Record<string, string>> = {
  DISPLAY: ":0",
  XAUTHORITY: AUTHORITY,
};

/**
 * Returns the browser's folders that the box must show in addition. If a folder contains more than a browser, such as
 * the sessions or a user's files, only the browser's file is returned.
 */
function findBrowserPaths(
  paths: readonly string[],
  folder: string,
): readonly string[] {
  const hidden = paths.filter((path) =>
    !path.startsWith("/usr/") || path.startsWith("/usr/local/")
  );
  const shown = hidden.map((path) => {
    const holder = dirname(path);
    const hasMore = `${folder}/`.startsWith(`${holder}/`) ||
      holder === homedir() || holder.split("/").length < 3;
    return hasMore ? path : holder;
  });
  return [...new Set(shown)];
}
