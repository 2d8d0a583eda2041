import { spawn } from "node:child_process";
import { closeSync, existsSync } from "node:fs";
import type { BrowserSpec } from "../../core/browser_spec.ts";
import type { BrowserExit } from "../../core/provider.ts";
import { createChildEnvironment } from "../kit/child_environment.ts";
import { renderChromiumFlags } from "../kit/chromium_flags.ts";
import type { Display } from "./display/display.ts";
import type { FoundBrowser } from "./find_browser.ts";
import { OutputFile } from "./output_file.ts";
import { renderProfileOption, SETSID } from "./process/orphan_processes.ts";
import type { OpenedBox } from "./sandbox/open_box.ts";

/** The browser to start and its command line. */
export interface BrowserCommand {
  readonly spec: BrowserSpec;
  readonly browser: FoundBrowser;
  /** Folder of the session. */
  readonly folder: string;
  /** True if the browser's own sandbox is on. */
  readonly sandbox: boolean;
  readonly arguments: readonly string[];
}

/** Resources of a browser's process. */
export interface ProcessResources {
  /** Proxy that replaces the session's. */
  readonly proxyServer: string | undefined;
  readonly display: Pick<Display, "name" | "authority"> | undefined;
  /** Folder of the browser's temporary files and sockets. */
  readonly temporary: string;
  /** The box of the browser, if its session is isolated. */
  readonly box: OpenedBox | undefined;
}

/** A started process. */
export interface SpawnedBrowser {
  /** Undefined if the system did not start it, for the reason in `exit`. */
  readonly pid: number | undefined;
  readonly exit: Promise<BrowserExit>;
  /** Kills the first process, also if it does not have a group yet. */
  readonly kill: () => void;
}

/**
 * Starts a browser as the first process of a new group.
 *
 * Its output goes to a file and not to a pipe, so that the browser survives the worker.
 *
 * A program that starts the browser creates the group. The runtime can do it too (`detached`), but then it copies this
 * process instead of sharing its memory with the new one, and blocks until the copy has its turn: 9 to 22 ms on a busy
 * host, in which no client's bytes are copied.
 */
export function spawnBrowser(
  command: BrowserCommand,
  resources: ProcessResources,
): SpawnedBrowser {
  const { spec, browser, folder } = command;
  const { box } = resources;
  const output = new OutputFile(folder).create();
  const hasSetsid = existsSync(SETSID);
  const [program = browser.path, ...args] = [
    ...(hasSetsid ? [SETSID] : []),
    ...(box?.command ?? []),
    browser.path,
    ...renderFlags(command, resources),
    "about:blank",
  ];
  try {
    const child = spawn(program, args, {
      // Files in the working folder are removed with the session.
      cwd: box ? "/" : folder,
      detached: !hasSetsid,
      stdio: ["ignore", output, output],
      env: {
        ...(box?.variables ?? createVariables(command, resources)),
        ...spec.environment,
      },
    });
    const exit = new Promise<BrowserExit>((resolve) => {
      child.once(
        "error",
        ({ message }) => resolve({ reason: "crashed", detail: message }),
      );
      child.once("exit", (code, name) => resolve(toBrowserExit(code, name)));
    });
    return { pid: child.pid, exit, kill: () => void child.kill("SIGKILL") };
  } finally {
    closeSync(output);
  }
}

function renderFlags(
  { spec, folder, sandbox, arguments: more }: BrowserCommand,
  { box, proxyServer = box?.proxyServer }: ProcessResources,
): readonly string[] {
  const connection = box?.flags ?? [
    "--remote-debugging-port=0",
    renderProfileOption(folder),
    // Tabs crash if shared memory is small, as in containers.
    "--disable-dev-shm-usage",
  ];
  return [
    ...connection,
    "--disable-quic",
    ...(sandbox ? [] : ["--no-sandbox"]),
    ...renderChromiumFlags(spec, {
      ...(proxyServer === undefined ? {} : { proxyServer }),
      more,
    }),
  ];
}

/** Returns the variables of a browser that is not isolated. */
function createVariables(
  { browser }: BrowserCommand,
  { temporary, display }: ProcessResources,
): Record<string, string> {
  return {
    ...createChildEnvironment(),
    TMPDIR: temporary,
    ...browser.variables,
    ...createDisplayVariables(display),
  };
}

function createDisplayVariables(
  { name, authority }: Pick<Display, "name" | "authority"> = {},
): Record<string, string> {
  return {
    ...(name === undefined ? {} : { DISPLAY: name }),
    ...(authority === undefined ? {} : { XAUTHORITY: authority }),
  };
}

/** Converts the exit status of a browser. Exit code 0 means that its client has closed it. */
function toBrowserExit(
  code: number | null,
  signal: string | null,
): BrowserExit {
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
