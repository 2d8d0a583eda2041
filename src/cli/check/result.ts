import { abortable } from "../../async/abortable.ts";
import { Watchdog } from "../../async/watchdog.ts";
import { toMessage } from "../../core/log.ts";
import type { CheckResult } from "../../core/provider.ts";

/** The result of a check. A sentence alone means `ok`. */
export type Finding = string | Omit<CheckResult, "name">;

/** Runs one check. It fails if it throws or takes longer than `ms`. */
export async function checkWithin(
  ms: number,
  name: string,
  check: () => Promise<Finding> | Finding,
): Promise<CheckResult> {
  try {
    const found = await waitAtMost(ms, Promise.resolve().then(check));
    return typeof found === "string"
      ? { name, status: "ok", detail: found }
      : { name, ...found };
  } catch (error) {
    return { name, status: "fail", detail: toMessage(error) };
  }
}

/** Resolves as `work` does. @throws {Error} If it takes longer than `ms`. The work itself continues. */
export async function waitAtMost<T>(ms: number, work: Promise<T>): Promise<T> {
  using timeout = new Watchdog(ms, () => `No answer within ${ms / 1_000} s`);
  return await abortable(work, timeout.signal);
}
