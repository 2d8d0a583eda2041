/**
 * Examples for the API description. A test checks them against their schemas.
 *
 * @module
 */
import {
  claimedSessionExample,
  reportResultExample,
  sessionReportExample,
  stopCommandExample,
} from "../sessions/examples.ts";

const INSTANCE_ID = "4b1c7c52-58f5-4f3b-9f63-0f3f7d0f9a11";

/** Body of a registration. */
export const workerInputExample = {
  name: "host-1",
  work_pool_id: "crawlers",
  provider_type: "docker",
  provider_details: { engine: "27.3" },
  capacity: 5,
  instance_id: INSTANCE_ID,
  secret: "made-up-at-the-first-start",
  reach: "auto",
  ip_address: "10.0.0.7",
  version: "1.0.0",
};

/** A worker in a response. */
export const workerExample = {
  id: "01a20ad2-9f3a-7b64-8a55-6c1e7f0b2d39",
  name: "host-1",
  work_pool_id: "01a20ad2-5e0f-7c11-9d7a-0d6f2b1c4e88",
  provider_type: "docker",
  provider_details: { engine: "27.3" },
  capacity: 5,
  current_load: 1,
  status: "online",
  ready: 1,
  reach: "auto",
  has_tunnel: true,
  cpu_percent: 35.5,
  memory_usage_mb: 2_048,
  disk_usage_mb: 10_240,
  ip_address: "10.0.0.7",
  version: "1.0.0",
  version_support: "supported",
  created_at: "2026-11-24T10:10:30.000Z",
  last_heartbeat: "2026-11-24T10:16:00.000Z",
};

/** A measurement of the worker's host. */
export const workerMetricExample = {
  worker_id: workerExample.id,
  cpu_percent: 35.5,
  cpu_percent_max: 80.1,
  memory_usage_mb: 2_048,
  memory_usage_mb_max: 2_100,
  disk_usage_mb: 10_240,
  current_load: 1,
  current_load_max: 1,
  samples: 4,
  timestamp: "2026-11-24T10:16:00.000Z",
};

/** Response of a registration. */
export const registrationExample = {
  worker: workerExample,
  instance_id: INSTANCE_ID,
  grid_id: "01a20ad1-0000-7000-8000-000000000000",
  server_version: "1.0.0",
  provider_type: "docker",
  provider_config: {},
  lease_ttl_ms: 30_000,
  heartbeat_ms: 10_000,
  metrics_ms: 15_000,
  server_grace_ms: 120_000,
  drain_timeout_ms: 300_000,
  held_sessions: [{
    session_id: sessionReportExample.session_id,
    fencing_token: 2,
    status: "running",
  }],
};

/** Body of a heartbeat. */
export const heartbeatInputExample = {
  status: "online",
  current_load: 1,
  ready: 2,
  cpu_percent: 35.5,
  memory_usage_mb: 2_048,
  disk_usage_mb: 10_240,
  sessions: [sessionReportExample],
};

/** The browsers that a worker keeps ready. */
export const readyBrowsersExample = {
  count: 2,
  max_age_ms: 3_600_000,
  browser: "chrome",
  version: "latest",
  headless: true,
  screen: { width: 1920, height: 1080, dpi: 96, scale: 1 },
  proxy: null,
  resource_limits: { cpu: 2, memory: "2G", timeout_minutes: 30 },
  environment: { LANG: "de_DE.UTF-8" },
  arguments: [],
  isolated: true,
  egress: claimedSessionExample.egress,
};

/** Response of a heartbeat. */
export const heartbeatResponseExample = {
  status: "online",
  lease_ttl_ms: 30_000,
  reports: [reportResultExample],
  commands: [stopCommandExample],
  ready: readyBrowsersExample,
};

/** Body of a claim. */
export const claimInputExample = {
  request_id: "claim-17",
  count: 2,
  room: 4,
};

/** Response of a claim. */
export const claimResponseExample = {
  sessions: [claimedSessionExample],
  waited_ms: 12,
  commands: [],
};
