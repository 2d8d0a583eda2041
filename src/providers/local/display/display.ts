import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { abortable } from "../../../async/abortable.ts";
import { systemClock } from "../../../async/clock.ts";
import { Watchdog } from "../../../async/watchdog.ts";
import { displaySize, type Screen } from "../../../core/browser_spec.ts";
import { createChildEnvironment } from "../../kit/child_environment.ts";
import {
  findProgram,
  type HostEnvironment,
  thisHost,
} from "../find_browser.ts";
import { OWNER_OPTION } from "../process/orphan_processes.ts";
import { endGroup } from "../process/process_group.ts";
import {
  type ProcessIdentity,
  readStartTime,
} from "../process/process_identity.ts";
import { startWindowManager } from "./window_manager.ts";

/** Name of the file with the display's secret, in the session's folder. */
const AUTHORITY_FILE = "display.authority";

/** Address family of entries for every display. */
const X_FAMILY_WILD = 65_535;

/** Authentication protocol of the secret. */
const X_PROTOCOL = "MIT-MAGIC-COOKIE-1";

/** Folder with the sockets of all X servers. */
const X_SOCKETS = "/tmp/.X11-unix";

/** Timeout until a virtual display writes its number. */
const START_MS = 10_000;

/** Grace period of a virtual display. */
const GRACE_MS = 500;

/** A display for a headful browser. Disposal ends a display that was started for the browser. */
export interface Display extends AsyncDisposable {
  /** Value of DISPLAY; absent if the system needs none. */
  readonly name?: string;
  /** Value of XAUTHORITY: the file with the secret that clients of the display need. */
  readonly authority?: string;
  /** The processes that were started for the display, the X server first. */
  readonly processes?: readonly ProcessIdentity[];
}

/** The existing display of the host. */
const HOST_DISPLAY: Display = {
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

/** Returns why a headful browser cannot be started on the host; undefined if it can. */
export async function findDisplayProblem(
  host: HostEnvironment = thisHost,
): Promise<string | undefined> {
  if (hasDisplay(host) || await findProgram("Xvfb", host)) return undefined;
  return "there is no display, expected DISPLAY or Xvfb on the PATH; or ask for headless: true";
}

/** Options of {@linkcode startDisplay}. */
export interface DisplayOptions {
  /** Folder of the session; part of the display's command line. Contains the display's secret. */
  readonly folder: string;
  readonly signal: AbortSignal;
  /** File for the display's secret. @default {a file in `folder`} */
  readonly authority?: string;
  /** User that the display runs as, and the command prefix that switches to it. */
  readonly user?: { readonly id: number; readonly command: readonly string[] };
  /** @default {thisHost} */
  readonly host?: HostEnvironment;
}

/** Returns the host's display, or starts a virtual one of the screen's size. @throws {Error} If neither is possible. */
export async function startDisplay(
  screen: Screen,
  options: DisplayOptions,
): Promise<Display> {
  const { host = thisHost } = options;
  if (hasDisplay(host)) return HOST_DISPLAY;
  const program = await findProgram("Xvfb", host);
  if (program !== undefined) return await startXvfb(program, screen, options);
  throw new Error(
    `Cannot start a headful browser: ${await findDisplayProblem(host)}`,
  );
}

/** Reports whether the host has a display. Only Linux names it in a variable. */
function hasDisplay({ os, env }: HostEnvironment): boolean {
  return os !== "linux" || Boolean(env("DISPLAY") || env("WAYLAND_DISPLAY"));
}

/** Starts Xvfb, which selects a free display number and writes it to its standard output. */
async function startXvfb(
  program: string,
  screen: Screen,
  { folder, signal, user, host = thisHost, ...options }: DisplayOptions,
): Promise<Display> {
  signal.throwIfAborted();
  const { authority = join(folder, AUTHORITY_FILE) } = options;
  await Deno.remove(authority).catch(() => {});
  await writeXAuthority(authority);
  if (user) await prepareForUser(authority, user.id);
  const { width, height } = displaySize(screen);
  const size = `${width}x${height}x24`;
  const [command = program, ...args] = [
    ...(user?.command ?? []),
    program,
    ...["-displayfd", "1", "-screen", "0", size, "-dpi", String(screen.dpi)],
    ...["-auth", authority, "-nolisten", "tcp", OWNER_OPTION, folder],
  ];
  const child = spawn(command, args, {
    detached: true,
    stdio: ["ignore", "pipe", "ignore"],
    env: createChildEnvironment(),
  });
  const exit = new Promise<Error>((resolve) => {
    child.once("error", resolve);
    child.once("close", () => resolve(new Error(`"${program}" has ended`)));
  });
  const { pid, stdout } = child;
  if (pid === undefined) throw await exit;
  const server = { pid, start_mark: await readStartTime(pid) ?? "" };
  await using undo = new AsyncDisposableStack();
  undo.defer(async () => {
    const killAt = systemClock.monotonic() + GRACE_MS;
    await endGroup(server, () => killAt);
    stdout.destroy();
    await exit;
  });
  const name = `:${await readFirstLine(stdout, exit, signal)}`;
  const asUser = user?.command;
  const managerOptions = {
    display: name,
    authority,
    folder,
    host,
    signal,
    asUser,
  };
  const manager = await startWindowManager(managerOptions);
  if (manager) undo.use(manager);
  const started = undo.move();
  return {
    name,
    authority,
    processes: manager ? [server, manager.process] : [server],
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

/**
 * Writes a file with a new secret, which an X server receives by `-auth` and its clients by `XAUTHORITY`. Only its
 * owner can read the file.
 *
 * @see {@link https://www.x.org/releases/current/doc/man/man5/Xsecurity.5.xhtml Xsecurity(5)}
 */
async function writeXAuthority(path: string): Promise<void> {
  const family = Buffer.alloc(2);
  family.writeUInt16BE(X_FAMILY_WILD);
  const entry = Buffer.concat([
    family,
    // Any address and display number.
    ...[Buffer.alloc(0), Buffer.alloc(0), Buffer.from(X_PROTOCOL)].map(
      encodeCounted,
    ),
    encodeCounted(randomBytes(16)),
  ]);
  await Deno.writeFile(path, entry, { mode: 0o600, createNew: true });
}

function encodeCounted(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** Prepares an X server that runs as another user than the worker: only root can create the folder of the sockets. */
async function prepareForUser(
  authority: string,
  userId: number,
): Promise<void> {
  await Deno.chown(authority, userId, userId);
  try {
    await Deno.mkdir(X_SOCKETS);
    await Deno.chmod(X_SOCKETS, 0o1777);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
}

/** Returns the first line of `stream`. @throws If the process ends before, after a timeout, or when `signal` is aborted. */
async function readFirstLine(
  stream: NodeJS.ReadableStream,
  exit: Promise<Error>,
  signal: AbortSignal,
): Promise<string> {
  const line = Promise.withResolvers<string>();
  using timeout = new Watchdog(
    START_MS,
    () => "Xvfb did not write its display number",
  );
  void exit.then(line.reject);
  let text = "";
  stream.on("data", (chunk: Uint8Array) => {
    text += new TextDecoder().decode(chunk);
    const [first, rest] = text.split("\n");
    if (rest !== undefined) line.resolve(first ?? "");
  });
  const either = AbortSignal.any([signal, timeout.signal]);
  return await abortable(line.promise, either);
}
