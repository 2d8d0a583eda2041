import type { EgressPolicy } from "../../core/browser_spec.ts";
import type { Pool } from "./pool.ts";

/** What a session of `pool` may reach. @param isolated Whether the session belongs to a client key. */
export function egressPolicy(
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
