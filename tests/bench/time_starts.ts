import { spreadOfRuns } from "./figure.ts";
import { childCpuMs } from "./machine.ts";

/** Starts of a program whose CPU time is divided by their number, because the system counts in steps of 10 ms. */
export const STARTS = 10;

/** Runs a program several times, one after another. Returns its mean CPU time and its median time, in milliseconds. */
export async function timeStarts(
  start: () => Promise<unknown>,
): Promise<{ readonly cpu: number; readonly wall: number }> {
  const before = await childCpuMs();
  const times: number[] = [];
  for (let count = 0; count < STARTS; count++) {
    const startedAt = performance.now();
    await start();
    times.push(performance.now() - startedAt);
  }
  const cpu = (await childCpuMs() - before) / STARTS;
  return { cpu, wall: spreadOfRuns(times).median };
}
