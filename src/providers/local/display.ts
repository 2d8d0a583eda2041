import { spawn } from "node:child_process";
import type { Screen } from "../../core/browser_spec.ts";
import { findProgram, thisHost } from "./find_browser.ts";
import { endGroup } from "./local_browser.ts";
import { startMarkOf } from "./process_group.ts";

const START_MS = 10_000;

/** A display for a headful browser. Disposal ends it if it was started for it. */
export interface Display extends AsyncDisposable {
  /** Value of DISPLAY; absent where the system needs none. */
  readonly name?: string;
  /** The process that was started for it. */
  readonly own?: { readonly pid: number; readonly start_mark: string };
}

/** Why a headful browser cannot be started here; undefined if it can. */
export async function displayProblem(): Promise<string | undefined> {
  if (thisHost.os !== "linux" || hasDisplay()) return undefined;
  if (await findProgram("Xvfb")) return undefined;
  return "there is no display, expected DISPLAY or Xvfb on the PATH; or ask for headless: true";
}

/** The host's display, or a virtual one of the wanted size. @throws {Error} If there is neither. */
export async function startDisplay(
  screen: Screen,
  signal: AbortSignal,
): Promise<Display> {
  const problem = await displayProblem();
  if (problem) throw new Error(`Cannot start a headful browser: ${problem}`);
  if (thisHost.os !== "linux" || hasDisplay()) {
    return { [Symbol.asyncDispose]: () => Promise.resolve() };
  }
  return await startXvfb(screen, signal);
}

function hasDisplay(): boolean {
  return Boolean(thisHost.env("DISPLAY") ?? thisHost.env("WAYLAND_DISPLAY"));
}

/** Xvfb picks a free number itself and writes it to its standard output. */
async function startXvfb(
  { width, height, dpi }: Screen,
  signal: AbortSignal,
): Promise<Display> {
  const child = spawn("Xvfb", [
    "-displayfd",
    "1",
    "-screen",
    "0",
    `${width}x${height}x24`,
    "-dpi",
    String(dpi),
    "-nolisten",
    "tcp",
  ], { detached: true, stdio: ["ignore", "pipe", "ignore"] });
  const pid = child.pid ?? 0;
  try {
    const number = await firstLine(
      child.stdout,
      AbortSignal.any([signal, AbortSignal.timeout(START_MS)]),
    );
    const start_mark = await startMarkOf(pid) ?? "";
    child.unref();
    return {
      name: `:${number}`,
      own: { pid, start_mark },
      [Symbol.asyncDispose]: () => endGroup(pid, 500),
    };
  } catch (error) {
    await endGroup(pid, 0);
    throw error;
  }
}

async function firstLine(
  stream: NodeJS.ReadableStream | null,
  signal: AbortSignal,
): Promise<string> {
  const line = Promise.withResolvers<string>();
  const onAbort = () => line.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  let text = "";
  stream?.on("data", (chunk: Uint8Array) => {
    text += new TextDecoder().decode(chunk);
    const [first, rest] = text.split("\n");
    if (rest !== undefined) line.resolve(first ?? "");
  });
  stream?.once("end", () => line.reject(new Error("Xvfb has ended")));
  try {
    return await line.promise;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
