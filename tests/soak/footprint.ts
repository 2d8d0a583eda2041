import type { ChaosGrid } from "../support/chaos_grid.ts";
import type { MemoryGauge } from "../support/memory.ts";

/** A process of the grid that is watched. */
export interface Watched {
  /** For people: `server`, `worker of containers`. */
  readonly name: string;
  readonly pid: number;
  readonly gauge: MemoryGauge;
}

/** Resources of a process at one moment. */
export interface ProcessFootprint {
  /** Of the machine's memory, in MB. */
  readonly residentMb: number;
  /** Of objects that are in use, in MB. */
  readonly liveMb: number;
  /** Open file descriptors that are no sockets. */
  readonly files: number;
  readonly sockets: number;
}

/** Kinds of what browsers leave on the machine, by the first word of a trace. */
export const TRACES = ["process", "folder", "temporary", "container"] as const;

/** Resources of a whole grid on the machine at one moment. Linux. */
export interface Footprint {
  readonly processes: Readonly<Record<string, ProcessFootprint>>;
  /** Number of the browsers' traces by kind. */
  readonly traces: Readonly<Record<(typeof TRACES)[number], number>>;
}

/** Measures a grid and its processes. */
export async function measureFootprint(
  grid: ChaosGrid,
  watched: readonly Watched[],
): Promise<Footprint> {
  const processes: Record<string, ProcessFootprint> = {};
  for (const each of watched) processes[each.name] = await measured(each);
  const texts = (await grid.traces()).map(({ text }) => text);
  const count = (kind: string) =>
    texts.filter((text) => text.startsWith(`${kind} `)).length;
  return {
    processes,
    traces: {
      process: count("process"),
      folder: count("folder"),
      temporary: count("temporary"),
      container: count("container"),
    },
  };
}

async function measured({ pid, gauge }: Watched): Promise<ProcessFootprint> {
  const liveMb = await gauge.live();
  const residentMb = await gauge.resident();
  const names = await Array.fromAsync(Deno.readDir(`/proc/${pid}/fd`));
  const targets = await Promise.all(
    names.map(({ name }) =>
      Deno.readLink(`/proc/${pid}/fd/${name}`).catch(() => undefined)
    ),
  );
  const open = targets.filter((target) => target !== undefined);
  const sockets = open.filter((target) => target.startsWith("socket:")).length;
  return { residentMb, liveMb, files: open.length - sockets, sockets };
}
