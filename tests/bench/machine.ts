/** Unit of the times in `/proc`. */
const TICK_MS = 10;

/** CPU time since the system's start, in ticks. Linux. */
export interface CpuTime {
  readonly total: number;
  readonly busy: number;
  /** Taken by the hypervisor for other machines. */
  readonly stolen: number;
  /** Used by this process and by its children that have ended. */
  readonly own: number;
}

/** Load of the machine by others while a benchmark ran, as shares of all its cores. */
export interface MachineLoad {
  readonly cores: number;
  /** Mean number of processes that wanted a core in the minute before. */
  readonly loadBefore: number;
  readonly others: number;
  readonly stolen: number;
}

/** Starts to observe the machine; the returned function ends it, when all processes of the benchmark have ended. */
export async function observeMachine(): Promise<() => Promise<MachineLoad>> {
  const [loadBefore = NaN] = Deno.loadavg();
  const before = await readCpuTime();
  return async () => ({
    cores: navigator.hardwareConcurrency,
    loadBefore,
    ...compareCpuTimes(before, await readCpuTime()),
  });
}

/** Returns the shares of the CPU that others have used between two readings. */
export function compareCpuTimes(
  before: CpuTime,
  after: CpuTime,
): Pick<MachineLoad, "others" | "stolen"> {
  const total = after.total - before.total;
  const others = after.busy - before.busy - (after.own - before.own);
  return {
    others: Math.max(0, others) / total,
    stolen: (after.stolen - before.stolen) / total,
  };
}

/** Parses `/proc/stat` and `/proc/self/stat`. */
export function parseCpuTime(machine: string, process: string): CpuTime {
  const [line = ""] = machine.split("\n");
  // "cpu" user nice system idle iowait irq softirq steal …
  const times = line.split(/\s+/).slice(1, 9).map(Number);
  const [, , , idle = 0, waiting = 0, , , stolen = 0] = times;
  const total = sum(times);
  return {
    total,
    busy: total - idle - waiting - stolen,
    stolen,
    own: sum(parseProcessTimes(process)),
  };
}

/** Renders the load on one line. */
export function renderMachine(load: MachineLoad): string {
  const [others, stolen] = [load.others, load.stolen].map((share) =>
    `${(share * 100).toFixed(0)} %`
  );
  return `Machine: ${load.cores} cores, load ${
    load.loadBefore.toFixed(2)
  } before; ` +
    `CPU used by others ${others}, stolen ${stolen}`;
}

async function readCpuTime(): Promise<CpuTime> {
  const [machine, process] = await Promise.all([
    Deno.readTextFile("/proc/stat"),
    Deno.readTextFile("/proc/self/stat"),
  ]);
  return parseCpuTime(machine, process);
}

/** Returns the CPU time of the ended children of this process, in milliseconds and steps of 10. Linux. */
export async function childCpuMs(): Promise<number> {
  const fields = parseProcessTimes(await Deno.readTextFile("/proc/self/stat"));
  return sum(fields.slice(2)) * TICK_MS;
}

/** Returns the CPU time of a process since its start. Linux. */
export async function readCpuMs(pid: number): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  return sum(parseProcessTimes(stat).slice(0, 2)) * TICK_MS;
}

/** Returns user and system time of a process, and of its ended children, from its `stat`: fields 14 to 17. */
function parseProcessTimes(stat: string): readonly number[] {
  // After the name, which may contain spaces, the third field is first.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields.slice(11, 15).map(Number);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
