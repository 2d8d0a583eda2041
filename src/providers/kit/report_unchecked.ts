import type { CheckResult } from "../../core/provider.ts";

/** Returns the result that names checks which an earlier failure prevents: "role and quota, which need a sign-in". */
export function reportUnchecked(detail: string): CheckResult {
  return { name: "not checked", status: "warn", detail };
}
