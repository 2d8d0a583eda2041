import { once } from "node:events";
import { z } from "zod";
import type { RunningProgram } from "./program.ts";

const answerSchema = z.object({
  id: z.int(),
  result: z.looseObject({ usedSize: z.number().optional() }),
});

/** Memory of a program, in megabytes. */
export interface MemoryGauge extends Disposable {
  /** Resident memory. Linux. */
  resident(): Promise<number>;
  /** The same after a garbage collection. */
  collected(): Promise<number>;
  /** Size of the objects in use, after a garbage collection. */
  live(): Promise<number>;
}

/** Returns the resident memory of a process, in megabytes. Linux. */
export async function residentMb(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1_024;
}

/** Measures a program that was started with `inspect`. */
export async function gaugeMemory(
  program: RunningProgram,
): Promise<MemoryGauge> {
  const [, url = ""] = await program.until(/Debugger listening on (ws:\S+)/);
  const socket = new WebSocket(url);
  await once(socket, "open");
  let last = 0;
  async function call(method: string) {
    const id = ++last;
    socket.send(JSON.stringify({ id, method }));
    for (;;) {
      const [{ data }] = await once(socket, "message");
      const answer = answerSchema.safeParse(JSON.parse(data));
      if (answer.data?.id === id) return answer.data.result;
    }
  }
  async function collect() {
    // What finalizers held on to at first goes with the second.
    await call("HeapProfiler.collectGarbage");
    await call("HeapProfiler.collectGarbage");
  }
  const resident = () => residentMb(program.pid);
  return {
    resident,
    async collected() {
      await collect();
      return await resident();
    },
    async live() {
      await collect();
      const { usedSize = NaN } = await call("Runtime.getHeapUsage");
      return usedSize / 1_048_576;
    },
    [Symbol.dispose]: () => socket.close(),
  };
}

/** Returns the resident memory of a process, with shared pages divided by the number of their users. Linux. */
export async function proportionalMb(pid: number): Promise<number> {
  const rollup = await Deno.readTextFile(`/proc/${pid}/smaps_rollup`);
  return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1]) / 1_024;
}
