import type { EgressPolicy } from "../../core/browser_spec.ts";
import type { Pool } from "./pool.ts";

/** Returns the egress policy of a session of `pool`. @param isolated True if the session belongs to a client key. */
export function resolveEgressPolicy(
  pool: Pick<Pool, "name" | "egress" | "egressAllow">,
  isolated: boolean,
): { mode: EgressPolicy["mode"]; allow: string[]; pool: string } {
  const usual = isolated ? "no_private" : "open";
  return {
    mode: pool.egress === "auto" ? usual : pool.egress,
    allow: [...pool.egressAllow],
    pool: pool.name,
  };
}
