import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import type { BrowserSpec } from "../../core/browser_spec.ts";
import { systemClock } from "../../core/clock.ts";
import type { BrowserExit } from "../../core/provider.ts";
import { startAuthProxy } from "../auth_proxy.ts";
import { chromiumFlags } from "../chromium_flags.ts";
import type { FoundBrowser } from "./find_browser.ts";
import {
  endGroup,
  lastLines,
  LocalBrowser,
  OUTPUT_FILE,
} from "./local_browser.ts";
import { startMarkOf } from "./process_group.ts";
import { removeFolder, writeRecord } from "./record.ts";
import { type Display, startDisplay } from "./display.ts";

/** Longest time until a browser says its address. */
const START_MS = 30_000;

/** How often its output is looked at while it starts. */
const LOOK_MS = 4;

/** Lines of output in the error of a failed start. */
const ERROR_LINES = 20;

/** What is to be launched, for whom, and where. */
export interface Launch {
  readonly spec: BrowserSpec;
  readonly sessionId: string;
  readonly gridId: string;
  readonly browser: FoundBrowser;
  readonly folder: string;
  readonly sandbox: boolean;
  readonly arguments: readonly string[];
}

/**
 * Starts a browser and waits until it says its CDP address. On failure or abort nothing is left.
 *
 * Its output goes to a file and not to a pipe, so that it outlives the worker.
 */
export async function launch(
  options: Launch,
  signal: AbortSignal,
): Promise<LocalBrowser> {
  await using undo = new AsyncDisposableStack();
  const { spec, folder, browser } = options;
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  undo.defer(() => removeFolder(folder));
  const proxy = spec.proxy?.proxy_username === undefined
    ? undefined
    : undo.use(await startAuthProxy(spec.proxy));
  const display: Display | undefined = spec.headless
    ? undefined
    : undo.use(await startDisplay(spec.screen, signal));
  const { pid, exit } = spawnGroup(options, proxy?.url, display?.name);
  undo.defer(() => endGroup(pid, 0));
  const endpoint = await addressOf(folder, exit, signal);
  const record = {
    session_id: options.sessionId,
    grid_id: options.gridId,
    pid,
    start_mark: await startMarkOf(pid) ?? "",
    endpoint,
    companions: display?.own ? [display.own] : [],
    executable: browser.path,
  };
  await writeRecord(folder, record);
  undo.move();
  return new LocalBrowser({ record, folder, exit, companion: proxy });
}

/** Starts the process as the first of a new group. */
function spawnGroup(
  { spec, browser, folder, sandbox, arguments: more }: Launch,
  proxyServer: string | undefined,
  display: string | undefined,
): { readonly pid: number; readonly exit: Promise<BrowserExit> } {
  const output = openSync(join(folder, OUTPUT_FILE), "w", 0o600);
  const flags = [
    "--remote-debugging-port=0",
    `--user-data-dir=${join(folder, "profile")}`,
    "--disable-quic",
    ...(sandbox ? [] : ["--no-sandbox"]),
    // Small shared memory, as in containers, makes tabs crash.
    "--disable-dev-shm-usage",
    ...chromiumFlags(spec, proxyServer === undefined ? {} : { proxyServer }),
    ...more,
    "about:blank",
  ];
  try {
    const child = spawn(browser.path, flags, {
      detached: true,
      stdio: ["ignore", output, output],
      env: {
        ...Deno.env.toObject(),
        ...variables(browser, display),
        ...spec.environment,
      },
    });
    const exit = new Promise<BrowserExit>((resolve) => {
      child.once(
        "error",
        ({ message }) => resolve({ reason: "crashed", detail: message }),
      );
      child.once("exit", (code, name) => resolve(endOf(code, name)));
    });
    // A pid that is not there is told by "error".
    return { pid: child.pid ?? 0, exit };
  } finally {
    closeSync(output);
  }
}

function variables(
  { libraryPath }: FoundBrowser,
  display: string | undefined,
): Record<string, string> {
  return {
    ...(libraryPath === undefined ? {} : { LD_LIBRARY_PATH: libraryPath }),
    ...(display === undefined ? {} : { DISPLAY: display }),
  };
}

/** A browser that ends by itself with 0 was closed by its client. */
function endOf(code: number | null, signal: string | null): BrowserExit {
  if (code === 0) {
    return { reason: "stopped", detail: "the browser was closed" };
  }
  return {
    reason: "crashed",
    detail: signal
      ? `the browser was ended by ${signal}`
      : `the browser ended with exit code ${code}`,
  };
}

/** The CDP address that the browser writes when it is ready. */
async function addressOf(
  folder: string,
  exit: Promise<BrowserExit>,
  signal: AbortSignal,
): Promise<string> {
  let end: BrowserExit | undefined;
  void exit.then((value) => end = value);
  const deadline = systemClock.monotonic() + START_MS;
  for (;;) {
    const output = await Deno.readTextFile(join(folder, OUTPUT_FILE));
    const [, address] = /^DevTools listening on (ws:\S+)\s/m.exec(output) ?? [];
    if (address !== undefined) return address;
    signal.throwIfAborted();
    const isLate = systemClock.monotonic() > deadline;
    if (end || isLate) {
      const why = end?.detail ?? `it said no address in ${START_MS / 1_000} s`;
      const last = await lastLines(folder, ERROR_LINES);
      throw new Error(
        `Cannot start the browser: ${why}. Its last output:\n${last}`,
      );
    }
    await systemClock.sleep(LOOK_MS, signal);
  }
}
