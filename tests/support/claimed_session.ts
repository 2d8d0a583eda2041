import type { ClaimedSession } from "../../src/apps/sessions/schemas/leases.ts";

/** A browser without special requirements, as a session or a warm browser specifies it. */
export const PLAIN_BROWSER = {
  browser: "chrome",
  version: "latest",
  headless: true,
  screen: { width: 1, height: 1, dpi: 96, scale: 1 },
  proxy: null,
  resource_limits: {},
  environment: {},
  arguments: [],
  isolated: false,
  egress: { mode: "open", allow: [], pool: "pool" },
} satisfies Partial<ClaimedSession>;

/** Returns a session as the server returns it to a claim of a worker with the fake provider. */
export function createClaimedSession(
  fields: Partial<ClaimedSession> = {},
): ClaimedSession {
  return {
    ...PLAIN_BROWSER,
    id: "a",
    fencing_token: 1,
    lease_ttl_ms: 30_000,
    start_timeout_ms: 60_000,
    work_pool_id: "pool",
    provider_type: "fake",
    provider_config: {},
    operating_system: "linux",
    ...fields,
  };
}
