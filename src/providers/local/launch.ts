import { existsSync } from "node:fs";
import { systemClock } from "../../async/clock.ts";
import { type BrowserExit } from "../../core/provider.ts";
import { throughTunnelOnly } from "../../core/network.ts";
import { startAuthProxy } from "../kit/auth_proxy.ts";
import { type Display, startDisplay } from "./display/display.ts";
import { LocalBrowser } from "./local_browser.ts";
import { OutputFile, type OutputLimiter } from "./output_file.ts";
import { endGroup } from "./process/process_group.ts";
import { readStartTime } from "./process/process_identity.ts";
import { ProcessMeter } from "./process/process_meter.ts";
import {
  type BrowserRecord,
  makeFolders,
  removeFolders,
  writeRecord,
} from "./record.ts";
import { type BoxMaker, openBox, type OpenedBox } from "./sandbox/open_box.ts";
import {
  type BrowserCommand,
  type ProcessResources,
  spawnBrowser,
} from "./spawn_browser.ts";
import { createStartError } from "./start_error.ts";

/** Default time limit until a browser writes its address. */
const START_MS = 30_000;

/** Interval at which the output of a starting browser is read. */
const POLL_INTERVAL_MS = 4;

/** Number of output lines in the error of a failed start. */
const ERROR_LINES = 20;

/** Options of {@linkcode launch}. */
export interface LaunchOptions extends BrowserCommand {
  readonly sessionId: string;
  readonly gridId: string;
  /** Creates the box that isolates the browser; undefined if it is not isolated. */
  readonly boxes?: BoxMaker | undefined;
  /** Measures the browsers of the host. @default {one of this browser} */
  readonly meter?: ProcessMeter;
  /** Limits the output of the host's browsers. @default {no limit} */
  readonly outputs?: OutputLimiter;
  /** Time limit until the browser writes its address. @default {30_000} */
  readonly timeoutMs?: number;
}

/**
 * Starts a browser and waits until it writes its CDP address. A failed or aborted start leaves nothing.
 *
 * The browser is recorded before it is ready, so that the next process finds it if the worker is killed during the
 * start.
 *
 * @throws {Error} If it does not start: the reason, the next step, and its last output.
 */
export async function launch(
  options: LaunchOptions,
  signal: AbortSignal,
): Promise<LocalBrowser> {
  signal.throwIfAborted();
  await using undo = new AsyncDisposableStack();
  const { spec, folder, browser } = options;
  undo.defer(() => removeFolders(folder));
  const temporary = await makeFolders(folder);
  const companions = undo.use(new AsyncDisposableStack());
  const resources = options.boxes
    ? await openIsolatedResources(options, options.boxes, {
      companions,
      signal,
    })
    : await openPlainResources(options, { companions, signal });
  const { display, box } = resources;
  const { pid, exit, kill } = spawnBrowser(options, {
    ...resources,
    temporary,
  });
  if (pid === undefined) {
    throw createStartError(browser.path, (await exit).detail, "");
  }
  const leader = { pid, start_mark: await readStartTime(pid) ?? "" };
  undo.defer(async () => {
    kill();
    await endGroup(leader);
    await exit;
  });
  const record: BrowserRecord = {
    ...leader,
    session_id: options.sessionId,
    grid_id: options.gridId,
    companions: [...display?.processes ?? []],
    has_forwarder: spec.proxy?.proxy_username !== undefined,
    ...(box ? { box: { egress: box.egress } } : {}),
    executable: browser.path,
  };
  await writeRecord(folder, record);
  const address = await waitForAddress(options, { exit, box }, signal);
  const endpoint = box ? throughTunnelOnly(address) : address;
  const ready = { ...record, endpoint };
  await writeRecord(folder, ready);
  undo.move();
  return new LocalBrowser({
    record: ready,
    folder,
    meter: options.meter ?? new ProcessMeter(),
    outputs: options.outputs,
    exit,
    isAdopted: false,
    isLimited: spec.cpu !== undefined || spec.memoryBytes !== undefined,
    companions,
    ...(box
      ? { socketPath: box.paths.cdpSocket, readTraffic: box.readTraffic }
      : {}),
  });
}

/** Resources of a browser that are opened before its start. */
interface LaunchResources extends Omit<ProcessResources, "temporary"> {
  readonly display: Display | undefined;
}

/** The stack of resources that end after the browser, and the signal of its start. */
interface LaunchScope {
  readonly companions: AsyncDisposableStack;
  readonly signal: AbortSignal;
}

async function openPlainResources(
  { spec, folder }: LaunchOptions,
  { companions, signal }: LaunchScope,
): Promise<LaunchResources> {
  const proxy = spec.proxy?.proxy_username === undefined
    ? undefined
    : companions.use(await startAuthProxy(spec.proxy));
  const display: Display | undefined = spec.headless
    ? undefined
    : companions.use(await startDisplay(spec.screen, { folder, signal }));
  return { proxyServer: proxy?.url, display, box: undefined };
}

async function openIsolatedResources(
  options: LaunchOptions,
  boxes: BoxMaker,
  { companions, signal }: LaunchScope,
): Promise<LaunchResources> {
  const box = await openBox(boxes, { ...options, signal }, companions);
  return { proxyServer: box.proxyServer, display: box.display, box };
}

/** Returns the CDP address in a browser's output. */
function findAddress(output: string): string | undefined {
  return /^DevTools listening on (ws:\S+)\s/m.exec(output)?.[1];
}

/** Returns the CDP address that the browser writes when it is ready. */
async function waitForAddress(
  { folder, browser, timeoutMs = START_MS }: LaunchOptions,
  { exit, box }: {
    readonly exit: Promise<BrowserExit>;
    readonly box: OpenedBox | undefined;
  },
  signal: AbortSignal,
): Promise<string> {
  let end: BrowserExit | undefined;
  void exit.then((value) => end = value);
  const lateAt = systemClock.monotonic() + timeoutMs;
  const file = new OutputFile(folder);
  let address: string | undefined;
  let size = 0;
  for (;;) {
    signal.throwIfAborted();
    // Decided before the output is read, so that the output is complete.
    const failure = end?.detail ??
      (systemClock.monotonic() > lateAt
        ? `it wrote no address within ${timeoutMs / 1_000} s`
        : undefined);
    // Eight browsers that start at once need the processor more than this loop.
    const written = file.size;
    if (written !== size) {
      size = written;
      address ??= findAddress(file.read());
      file.limit();
    }
    if (address !== undefined && !end && isReachable(box)) return address;
    if (failure !== undefined) {
      const lines = file.readLastLines(ERROR_LINES);
      throw createStartError(browser.path, failure, lines);
    }
    await systemClock.sleep(POLL_INTERVAL_MS, signal);
  }
}

/** Reports whether the debugging socket of the box is open. */
function isReachable(box: OpenedBox | undefined): boolean {
  return box === undefined || existsSync(box.paths.cdpSocket);
}
