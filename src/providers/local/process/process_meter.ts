import { nextTurn } from "../../../async/next_turn.ts";
import {
  isAlive,
  type ProcessStat,
  readProcessStat,
  readProcFile,
} from "./process_stat.ts";
import { readSystemUnits } from "./system_units.ts";

/** Number of processes that are read at once, so that the event loop is not blocked for long. */
const BATCH_SIZE = 64;

const MEBIBYTE = 2 ** 20;

/** Resource use of the processes of one browser at one moment. */
export interface ProcessUse {
  /** Processor time since the start, with the time of ended processes. */
  readonly cpuSeconds: number;
  /** Private memory of the processes, and what they share once. */
  readonly memoryMb: number;
  /** Bytes read from and written to disks since the start. Absent if the system does not show them to this user. */
  readonly diskReadBytes?: number;
  readonly diskWriteBytes?: number;
}

/**
 * Measures browsers by `/proc`, on Linux only: macOS and Windows show the use of other processes to programs that the
 * runtime would have to start, for each measurement.
 *
 * All calls of one turn of the event loop share one scan of the processes.
 */
export class ProcessMeter {
  #leaders = new Set<number>();
  #scan: Promise<ReadonlyMap<number, ProcessUse>> | undefined;

  /** Returns the use of a process, the processes of its group and all their descendants; undefined if they have ended. */
  async read(leader: number): Promise<ProcessUse | undefined> {
    if (Deno.build.os !== "linux") return undefined;
    this.#leaders.add(leader);
    this.#scan ??= this.#start();
    return (await this.#scan).get(leader);
  }

  async #start(): Promise<ReadonlyMap<number, ProcessUse>> {
    await nextTurn();
    const leaders = this.#leaders;
    this.#leaders = new Set();
    this.#scan = undefined;
    const members = groupByLeader(await readAll(), leaders);
    const uses = new Map<number, ProcessUse>();
    for (const [leader, stats] of members) {
      if (!stats.some(isAlive)) continue;
      uses.set(leader, addUp(stats));
      await nextTurn();
    }
    return uses;
  }
}

/** Returns the processes of the machine. */
async function readAll(): Promise<readonly ProcessStat[]> {
  const pids = listPids();
  const found: ProcessStat[] = [];
  for (const [at, pid] of pids.entries()) {
    const stat = readProcessStat(pid);
    if (stat) found.push(stat);
    if (at % BATCH_SIZE === BATCH_SIZE - 1) await nextTurn();
  }
  return found;
}

function listPids(): readonly number[] {
  return Array.from(Deno.readDirSync("/proc"), ({ name }) => Number(name))
    .filter((pid) => pid > 0);
}

/** Returns the processes of each leader: those of its group, and the descendants of these. */
export function groupByLeader(
  stats: readonly ProcessStat[],
  leaders: ReadonlySet<number>,
): ReadonlyMap<number, readonly ProcessStat[]> {
  const byPid = new Map(stats.map((stat) => [stat.pid, stat]));
  const owners = new Map<number, number | undefined>();
  const findOwner = (stat: ProcessStat): number | undefined => {
    if (owners.has(stat.pid)) return owners.get(stat.pid);
    // Also ends a circle, which reused ids could form.
    owners.set(stat.pid, undefined);
    const parent = byPid.get(stat.parent);
    const owner = leaders.has(stat.group)
      ? stat.group
      : parent && findOwner(parent);
    owners.set(stat.pid, owner);
    return owner;
  };
  const groups = Map.groupBy(stats, findOwner);
  return new Map(
    [...groups].flatMap(([owner, members]) =>
      owner === undefined ? [] : [[owner, members]]
    ),
  );
}

function addUp(stats: readonly ProcessStat[]): ProcessUse {
  const { pageBytes, ticksPerSecond } = readSystemUnits();
  let ticks = 0;
  let privatePages = 0;
  let sharedPages = 0;
  let read: number | undefined;
  let written: number | undefined;
  for (const { pid, ticks: used } of stats) {
    ticks += used;
    const [, resident = 0, shared = 0] = readProcFile(`/proc/${pid}/statm`)
      .split(" ").map(Number);
    privatePages += resident - shared;
    // Most of it is the program, which every process has mapped.
    sharedPages = Math.max(sharedPages, shared);
    const io = readProcFile(`/proc/${pid}/io`);
    const [, readBytes] = /^read_bytes: (\d+)$/m.exec(io) ?? [];
    const [, writeBytes] = /^write_bytes: (\d+)$/m.exec(io) ?? [];
    if (readBytes !== undefined) read = (read ?? 0) + Number(readBytes);
    if (writeBytes !== undefined) written = (written ?? 0) + Number(writeBytes);
  }
  return {
    cpuSeconds: ticks / ticksPerSecond,
    memoryMb: (privatePages + sharedPages) * pageBytes / MEBIBYTE,
    ...(read === undefined ? {} : { diskReadBytes: read }),
    ...(written === undefined ? {} : { diskWriteBytes: written }),
  };
}
