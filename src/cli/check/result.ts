import { systemClock } from "../../async/clock.ts";
import { toMessage } from "../../core/log.ts";
import type { CheckResult } from "../../core/provider.ts";

/** What a check found: a sentence alone is good news. */
export type Finding = string | Omit<CheckResult, "name">;

/** One check, over within `ms`: what it throws, and that it takes too long, is a failure of it. */
export async function checkWithin(
  ms: number,
  name: string,
  act: () => Promise<Finding> | Finding,
): Promise<CheckResult> {
  try {
    const found = await withinTime(ms, Promise.resolve().then(act));
    return typeof found === "string"
      ? { name, status: "ok", detail: found }
      : { name, ...found };
  } catch (error) {
    return { name, status: "fail", detail: toMessage(error) };
  }
}

/** What `work` comes to. @throws {Error} If it takes longer than `ms`; it is not waited for any more. */
export async function withinTime<T>(ms: number, work: Promise<T>): Promise<T> {
  const stop = new AbortController();
  const late = systemClock.sleep(ms, stop.signal).then(() => {
    throw new Error(`No answer within ${ms / 1_000} s`);
  });
  late.catch(() => {}); // It is stopped when the work is faster.
  try {
    return await Promise.race([work, late]);
  } finally {
    stop.abort();
  }
}
