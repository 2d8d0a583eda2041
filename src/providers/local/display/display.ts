import { spawn } from "node:child_process";
import { join } from "node:path";
import { displaySize, type Screen } from "../../../core/browser_spec.ts";
import { createChildEnvironment } from "../../kit/child_environment.ts";
import { systemClock } from "../../../async/clock.ts";
import {
  findProgram,
  type HostEnvironment,
  thisHost,
} from "../find_browser.ts";
import { OWNER_OPTION } from "../process/orphan_processes.ts";
import { writeXAuthority } from "./x_authority.ts";
import {
  endGroup,
  type ProcessIdentity,
  readStartTime,
} from "../process/process_group.ts";
import { startWindowManager } from "./window_manager.ts";

/** File with the display's secret in the session's folder. */
const AUTHORITY_FILE = "display.authority";

/** Folder with the sockets of all X servers. */
const X_SOCKETS = "/tmp/.X11-unix";

/** Longest time until a virtual display says its number. */
const START_MS = 10_000;

/** How long a virtual display may take to end when asked. */
const GRACE_MS = 500;

/** A display for a headful browser. Disposal ends it if it was started for it. */
export interface Display extends AsyncDisposable {
  /** Value of DISPLAY; absent where the system needs none. */
  readonly name?: string;
  /** Value of XAUTHORITY: the file with the secret that clients of the display need. */
  readonly authority?: string;
  /** The processes that were started for the display, the X server first. */
  readonly processes?: readonly ProcessIdentity[];
}

const HOST_DISPLAY: Display = {
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

/** Why a headful browser cannot be started here; undefined if it can. */
export async function findDisplayProblem(
  host: HostEnvironment = thisHost,
): Promise<string | undefined> {
  if (hasDisplay(host) || await findProgram("Xvfb", host)) return undefined;
  return "there is no display, expected DISPLAY or Xvfb on the PATH; or ask for headless: true";
}

/** For whom a display is started. */
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

/** The host's display, or a virtual one of the wanted size. @throws {Error} If there is neither. */
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

/** Only Linux needs one that is named. */
function hasDisplay({ os, env }: HostEnvironment): boolean {
  return os !== "linux" || Boolean(env("DISPLAY") || env("WAYLAND_DISPLAY"));
}

/** Xvfb picks a free number itself and writes it to its standard output. */
async function startXvfb(
  program: string,
  screen: Screen,
  { folder, signal, user, host = thisHost, ...given }: DisplayOptions,
): Promise<Display> {
  signal.throwIfAborted();
  const { authority = join(folder, AUTHORITY_FILE) } = given;
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
  const own = { pid, start_mark: await readStartTime(pid) ?? "" };
  await using undo = new AsyncDisposableStack();
  undo.defer(async () => {
    const killAt = systemClock.monotonic() + GRACE_MS;
    await endGroup(own, () => killAt);
    stdout.destroy();
    await exit;
  });
  const name = `:${await readFirstLine(stdout, exit, signal)}`;
  const asUser = user?.command;
  const options = { display: name, authority, folder, host, signal, asUser };
  const manager = await startWindowManager(options);
  if (manager) undo.use(manager);
  const started = undo.move();
  return {
    name,
    authority,
    processes: manager ? [own, manager.process] : [own],
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
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

/** The first line of `stream`, unless the process ends before, it takes too long, or `signal` is aborted. */
async function readFirstLine(
  stream: NodeJS.ReadableStream,
  exit: Promise<Error>,
  signal: AbortSignal,
): Promise<string> {
  const line = Promise.withResolvers<string>();
  const onAbort = () => line.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  const timer = setTimeout(
    () => line.reject(new Error("Xvfb said no display number")),
    START_MS,
  );
  void exit.then(line.reject);
  let text = "";
  stream.on("data", (chunk: Uint8Array) => {
    text += new TextDecoder().decode(chunk);
    const [first, rest] = text.split("\n");
    if (rest !== undefined) line.resolve(first ?? "");
  });
  try {
    return await line.promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}
