import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { createChildEnvironment } from "../kit/child_environment.ts";
import type { BrowserExit } from "../../core/provider.ts";
import { renderChromiumFlags } from "../kit/chromium_flags.ts";
import type { Display } from "./display/display.ts";
import type { Launch } from "./launch.ts";
import { OUTPUT_FILE } from "./local_browser.ts";
import type { OpenedBox } from "./sandbox/open_box.ts";
import { renderProfileOption } from "./process/orphan_processes.ts";

/** What a browser is given besides what its session asks for. */
export interface SpawnOptions {
  /** Its proxy in place of the session's. */
  readonly proxyServer: string | undefined;
  readonly display: Pick<Display, "name" | "authority"> | undefined;
  /** Folder of the browser's temporary files and sockets. */
  readonly temporary: string;
  /** The box of the browser, if its session is isolated. */
  readonly box: OpenedBox | undefined;
}

/** A process that was started. */
export interface SpawnedBrowser {
  /** Absent if the system refused; `exit` then tells why. */
  readonly pid: number | undefined;
  readonly exit: Promise<BrowserExit>;
}

/**
 * Starts the process as the first of a new group.
 *
 * Its output goes to a file and not to a pipe, so that it outlives the worker.
 */
export function spawnBrowser(
  launch: Launch,
  given: SpawnOptions,
): SpawnedBrowser {
  const { spec, browser, folder } = launch;
  const { box } = given;
  const output = openSync(join(folder, OUTPUT_FILE), "w", 0o600);
  const [program = browser.path, ...args] = [
    ...(box?.command ?? []),
    browser.path,
    ...renderFlags(launch, given),
    "about:blank",
  ];
  try {
    const child = spawn(program, args, {
      // Whatever it leaves where it stands goes with its session.
      cwd: box ? "/" : folder,
      detached: true,
      stdio: ["ignore", output, output],
      env: {
        ...(box?.variables ?? createVariables(launch, given)),
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
    return { pid: child.pid, exit };
  } finally {
    closeSync(output);
  }
}

function renderFlags(
  { spec, folder, sandbox, arguments: more }: Launch,
  { box, proxyServer = box?.proxyServer }: SpawnOptions,
): readonly string[] {
  const own = box?.flags ?? [
    "--remote-debugging-port=0",
    renderProfileOption(folder),
    // Tabs crash if shared memory is small, as in containers.
    "--disable-dev-shm-usage",
  ];
  return [
    ...own,
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
  { browser }: Launch,
  { temporary, display }: SpawnOptions,
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

/** A browser that ends by itself with 0 was closed by its client. */
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
