import { existsSync } from "node:fs";
import { join } from "node:path";
import type { BrowserSpec } from "../../core/browser_spec.ts";
import { systemClock } from "../../async/clock.ts";
import type { BrowserExit } from "../../core/provider.ts";
import { throughTunnelOnly } from "../../core/provider.ts";
import { startAuthProxy } from "../kit/auth_proxy.ts";
import { type Display, startDisplay } from "./display/display.ts";
import type { FoundBrowser } from "./find_browser.ts";
import { LocalBrowser, OUTPUT_FILE, readLastLines } from "./local_browser.ts";
import { endGroup, readStartTime } from "./process/process_group.ts";
import {
  type BrowserRecord,
  makeFolders,
  removeFolders,
  writeRecord,
} from "./record.ts";
import { type BoxMaker, openBox, type OpenedBox } from "./sandbox/open_box.ts";
import { spawnBrowser, type SpawnOptions } from "./spawn_browser.ts";
import { createStartError } from "./start_failure.ts";

/** Longest time until a browser says its address. */
const START_MS = 30_000;

/** How often its output is looked at while it starts. */
const POLL_INTERVAL_MS = 4;

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
  /** Creates the box that isolates the browser; undefined if it is not isolated. */
  readonly boxes?: BoxMaker | undefined;
  /** Longest time until it says its address; 30 s by default. */
  readonly timeoutMs?: number;
}

/**
 * Starts a browser and waits until it says its CDP address. On failure or abort nothing is left.
 *
 * It is recorded before it is ready, so that a worker killed meanwhile leaves nothing that the next cannot find.
 *
 * @throws {Error} If it does not start: why, what to do, and its last output.
 */
export async function launch(
  options: Launch,
  signal: AbortSignal,
): Promise<LocalBrowser> {
  signal.throwIfAborted();
  await using undo = new AsyncDisposableStack();
  const { spec, folder, browser } = options;
  undo.defer(() => removeFolders(folder));
  const temporary = await makeFolders(folder);
  const companions = undo.use(new AsyncDisposableStack());
  const surroundings = options.boxes
    ? await openIsolatedResources(options, options.boxes, {
      companions,
      signal,
    })
    : await openPlainResources(options, { companions, signal });
  const { display, box } = surroundings;
  const { pid, exit } = spawnBrowser(options, { ...surroundings, temporary });
  if (pid === undefined) {
    throw createStartError(browser.path, (await exit).detail, "");
  }
  const leader = { pid, start_mark: await readStartTime(pid) ?? "" };
  undo.defer(async () => {
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
    exit,
    isAdopted: false,
    isLimited: spec.cpu !== undefined || spec.memoryBytes !== undefined,
    companions,
    ...(box ? { socketPath: box.paths.cdpSocket } : {}),
  });
}

/** Resources of a browser at its start. */
interface LaunchResources extends Omit<SpawnOptions, "temporary"> {
  readonly display: Display | undefined;
}

/** The helpers of a browser, which end after it. */
interface LaunchScope {
  readonly companions: AsyncDisposableStack;
  readonly signal: AbortSignal;
}

async function openPlainResources(
  { spec, folder }: Launch,
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
  options: Launch,
  boxes: BoxMaker,
  { companions, signal }: LaunchScope,
): Promise<LaunchResources> {
  const box = await openBox(boxes, { ...options, signal }, companions);
  return { proxyServer: box.proxyServer, display: box.display, box };
}

/** The CDP address that the browser writes when it is ready. */
async function waitForAddress(
  { folder, browser, timeoutMs = START_MS }: Launch,
  { exit, box }: {
    readonly exit: Promise<BrowserExit>;
    readonly box: OpenedBox | undefined;
  },
  signal: AbortSignal,
): Promise<string> {
  let end: BrowserExit | undefined;
  void exit.then((value) => end = value);
  const deadline = systemClock.monotonic() + timeoutMs;
  for (;;) {
    signal.throwIfAborted();
    // Asked before the output is read, so that its last words are in it.
    const why = end?.detail ??
      (systemClock.monotonic() > deadline
        ? `it said no address within ${timeoutMs / 1_000} s`
        : undefined);
    const output = readOutput(folder);
    const [, address] = /^DevTools listening on (ws:\S+)\s/m.exec(output) ?? [];
    if (address !== undefined && !end && isReachable(box)) return address;
    if (why !== undefined) {
      throw createStartError(
        browser.path,
        why,
        await readLastLines(folder, ERROR_LINES),
      );
    }
    await systemClock.sleep(POLL_INTERVAL_MS, signal);
  }
}

/** Reports whether the debugging socket of the box is open. */
function isReachable(box: OpenedBox | undefined): boolean {
  return box === undefined || existsSync(box.paths.cdpSocket);
}

/** Read at once: it was just written, and to leave it to another thread hundreds of times in a start costs more than the wait. */
function readOutput(folder: string): string {
  return Deno.readTextFileSync(join(folder, OUTPUT_FILE));
}
