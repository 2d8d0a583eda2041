/**
 * Examples for the API description. A test checks them against their schemas.
 *
 * @module
 */
import { pickPart } from "../../http/declared_fields.ts";
import { poolFields } from "./schemas/pool_fields.ts";

const presets = pickPart(poolFields, "default");

/** Body of a new pool. */
export const poolInputExample = pickPart(poolFields, "example");

/** Body of a change. */
export const poolPatchExample = { max_sessions: 80, default_browser: null };

/** A pool in a response. */
export const poolExample = {
  ...presets,
  ...poolInputExample,
  id: "01a20ad2-5e0f-7c11-9d7a-0d6f2b1c4e88",
  provider_secrets: ["registry_password"],
  default_environment: Object.keys(poolInputExample.default_environment),
  created_at: "2026-11-24T10:10:00.000Z",
  updated_at: "2026-11-24T10:10:00.000Z",
};

/** The load of a pool in a response. */
export const pressureExample = {
  work_pool_id: poolExample.id,
  status: "active",
  pending: 3,
  starting: 1,
  running: 12,
  max_sessions: 50,
  max_queue: 100,
  workers_online: 3,
  capacity: 15,
  oldest_pending_seconds: 1.25,
  ready: 2,
  min_ready: 2,
  wanted_workers: 4,
  machines: {
    requested: 0,
    starting: 1,
    running: 3,
    draining: 0,
    removing: 0,
    last_failure: null,
  },
};
