import { spawn } from "node:child_process";
import { systemClock } from "../../../async/clock.ts";
import { deadline } from "../../../async/deadline.ts";
import script from "../../kit/window_manager.pl" with { type: "text" };
import { findProgram, type HostEnvironment } from "../find_browser.ts";
import { endGroup } from "../process/process_group.ts";
import {
  type ProcessIdentity,
  readStartTime,
} from "../process/process_identity.ts";

/** Timeout until the window manager is ready. */
const START_MS = 5_000;

/** A process that manages the windows of a virtual display. It ends with the display, or on disposal. */
export interface WindowManager extends AsyncDisposable {
  readonly process: ProcessIdentity;
}

/** Options of {@linkcode startWindowManager}. */
export interface WindowManagerOptions {
  /** Value of DISPLAY. */
  readonly display: string;
  /** Value of XAUTHORITY. */
  readonly authority: string;
  /** Folder of the session; part of the command line. */
  readonly folder: string;
  readonly host: HostEnvironment;
  /** Command prefix that switches to the display's user. */
  readonly asUser?: readonly string[] | undefined;
  readonly signal: AbortSignal;
}

/**
 * Starts the window manager of a virtual display, which lets windows be maximized, minimized and as large as the
 * screen.
 *
 * Returns undefined if Perl is missing or the window manager fails: browsers work without it, but do not resize.
 */
export async function startWindowManager(
  { display, authority, folder, host, signal, asUser = [] }:
    WindowManagerOptions,
): Promise<WindowManager | undefined> {
  const program = await findProgram("perl", host);
  if (program === undefined) return undefined;
  // A script on standard input appears in no file and no process list.
  const [command = program, ...args] = [...asUser, program, "-", folder];
  const child = spawn(command, args, {
    detached: true,
    stdio: ["pipe", "pipe", "ignore"],
    env: { DISPLAY: display, XAUTHORITY: authority },
  });
  const exit = new Promise<void>((resolve) => {
    child.once("error", () => resolve());
    child.once("close", () => resolve());
  });
  child.stdin.on("error", () => {});
  child.stdin.end(script);
  const { pid } = child;
  if (pid === undefined) return void await exit;
  const process = { pid, start_mark: await readStartTime(pid) ?? "" };
  using late = deadline(systemClock, START_MS, signal);
  const kill = () => child.kill("SIGKILL");
  late.signal.addEventListener("abort", kill);
  const isReady = await Promise.race([
    new Promise<true>((resolve) => child.stdout.once("data", resolve)),
    exit.then(() => false),
  ]);
  late.signal.removeEventListener("abort", kill);
  if (!isReady) return undefined;
  return {
    process,
    async [Symbol.asyncDispose]() {
      await endGroup(process, () => 0);
      await exit;
    },
  };
}
