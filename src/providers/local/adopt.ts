import { systemClock } from "../../async/clock.ts";
import type { BrowserExit } from "../../core/provider.ts";
import { LocalBrowser } from "./local_browser.ts";
import { isRunning, type ProcessIdentity } from "./process/process_identity.ts";
import type { OutputLimiter } from "./output_file.ts";
import type { ProcessMeter } from "./process/process_meter.ts";
import {
  type BrowserRecord,
  isReady,
  listSessionFolders,
  readRecord,
} from "./record.ts";
import type { BoxEgresses } from "./sandbox/box_egress.ts";
import { findBoxFolder } from "./sandbox/box_folder.ts";

/** Interval at which an adopted process is checked. */
const POLL_INTERVAL_MS = 500;

/** Options of {@linkcode adoptBrowsers}. */
export interface AdoptOptions {
  readonly egresses: BoxEgresses;
  readonly meter: ProcessMeter;
  readonly outputs: OutputLimiter;
  /** Ends the watching of the browsers. */
  readonly closed: AbortSignal;
}

/**
 * Returns the running browsers of an earlier process, recorded in the folders below `root`. A browser whose connections
 * ended with that process is left to the sweep.
 */
export async function adoptBrowsers(
  root: string,
  { egresses, meter, outputs, closed }: AdoptOptions,
): Promise<readonly LocalBrowser[]> {
  const adopted: LocalBrowser[] = [];
  for (const { folder } of await listSessionFolders(root)) {
    const record = await readRecord(folder);
    if (!record || !isReady(record) || !await isRunning(record)) continue;
    // The forwarder to its proxy has ended with the earlier process.
    if (record.has_forwarder) continue;
    const box = record.box && await reopenBox(record.box, folder, egresses);
    if (record.box && !box) continue;
    const exit = watchProcess(record, closed);
    adopted.push(
      new LocalBrowser({
        record,
        folder,
        meter,
        outputs,
        exit,
        isAdopted: true,
        ...box,
      }),
    );
  }
  return adopted;
}

/** Reopens the egress and debugging connections of an earlier process's box. */
async function reopenBox(
  { egress }: NonNullable<BrowserRecord["box"]>,
  folder: string,
  egresses: BoxEgresses,
) {
  const box = await findBoxFolder(folder);
  if (!box) return undefined;
  const opened = await egresses.open(box, { egress });
  return {
    socketPath: box.cdpSocket,
    companions: opened,
    readTraffic: () => opened.readTraffic(),
  };
}

/**
 * Resolves when a process that is not a child of this one has ended.
 *
 * @param signal Ends the watching. The promise then never settles.
 */
async function watchProcess(
  watched: ProcessIdentity,
  signal: AbortSignal,
): Promise<BrowserExit> {
  while (await isRunning(watched)) {
    await systemClock.sleep(POLL_INTERVAL_MS, signal).catch(() => {});
    if (signal.aborted) return new Promise(() => {});
  }
  return { reason: "crashed", detail: "its process has ended" };
}
