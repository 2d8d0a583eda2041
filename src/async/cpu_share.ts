import process from "node:process";
import { type Clock, systemClock } from "./clock.ts";

/** Shortest time that is measured: the system counts processor time in steps of up to 10 ms. */
const MIN_TIME_MS = 100;

/** Dependencies of a {@linkcode CpuShare}. */
export interface CpuShareOptions {
  /** @default {systemClock} */
  readonly clock?: Pick<Clock, "monotonic">;
  /** Returns the processor time of this process in milliseconds. */
  readonly readCpuMs?: () => number;
}

/** Measures how much of a core this process uses, from one call to the next. */
export class CpuShare {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #readCpuMs: () => number;
  #at: number;
  #cpuMs: number;
  #share = 0;

  constructor(
    { clock = systemClock, readCpuMs = readProcessMs }: CpuShareOptions = {},
  ) {
    this.#clock = clock;
    this.#readCpuMs = readCpuMs;
    this.#at = clock.monotonic();
    this.#cpuMs = readCpuMs();
  }

  /** Returns the share of a core since the last call, or what that one returned if it was less than 100 ms ago. */
  measure(): number {
    const now = this.#clock.monotonic();
    const elapsedMs = now - this.#at;
    if (elapsedMs < MIN_TIME_MS) return this.#share;
    const cpuMs = this.#readCpuMs();
    this.#share = (cpuMs - this.#cpuMs) / elapsedMs;
    this.#at = now;
    this.#cpuMs = cpuMs;
    return this.#share;
  }
}

function readProcessMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
