import { proportionalMb, residentMb } from "../support/memory.ts";
import { type GridOptions, startGrid } from "./bench_grid.ts";

/** Time after the start at which memory is read: the start's own memory is returned by then. */
export const SETTLE_MS = 5_000;

/** The source, a bundle or an installed program. */
type Program = Pick<GridOptions, "bundle" | "command">;

/** A start: the time until `/ready` responds in milliseconds, and the memory afterwards in megabytes. */
export interface IdleStart {
  readonly ready: number;
  readonly resident: number;
  readonly share: number;
}

/** Starts a server without a worker. */
export async function timeStart(program: Program = {}): Promise<IdleStart> {
  const startedAt = performance.now();
  await using grid = await startGrid({ ...program, args: [] });
  await (await fetch(`${grid.url}/ready`)).body?.cancel();
  const ready = performance.now() - startedAt;
  await settle();
  const { pid } = grid.server;
  return {
    ready,
    resident: await residentMb(pid),
    share: await proportionalMb(pid),
  };
}

/** Starts a server with a worker. Returns its share of memory in megabytes. */
export async function measureMemory(program: Program = {}): Promise<number> {
  await using grid = await startGrid(program);
  await settle();
  return await proportionalMb(grid.server.pid);
}

function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
}
