/** Examples for the API description; a test checks them against their schemas. */
import { pickPart } from "../../http/declared_fields.ts";
import type { SessionField } from "./schemas/field.ts";
import { identityFields, recordedFields } from "./schemas/recorded_fields.ts";
import { requestedFields } from "./schemas/requested_fields.ts";

const ID = "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d";
const POOL_ID = "01a20ad2-5e0f-7c11-9d7a-0d6f2b1c4e88";
const WORKER_ID = "01a20ad2-9f3a-7b64-8a55-6c1e7f0b2d39";
const STARTED = "2026-11-24T10:15:03.020Z";

export const sessionInputExample = pickPart(requestedFields, "example");

export const sessionExample = {
  ...collectWireExamples(identityFields),
  ...collectWireExamples(requestedFields),
  ...collectWireExamples(recordedFields),
};

export const sessionEventExample = {
  seq: 3,
  session_id: ID,
  event: "browser_started",
  data: { worker_id: WORKER_ID },
  timestamp: STARTED,
};

export const sessionEventInputExample = {
  fencing_token: 1,
  event: "session_idle",
  data: { idle_seconds: 60 },
};

const measured = {
  cpu_percent: 12.5,
  memory_mb: 310.4,
  network_rx_bytes: 1_048_576,
  network_tx_bytes: 20_480,
  disk_read_bytes: 4_096,
  disk_write_bytes: 8_388_608,
};

export const sessionMetricExample = {
  ...measured,
  cpu_percent_max: 40.2,
  memory_mb_max: 320,
  samples: 4,
  session_id: ID,
  timestamp: "2026-11-24T10:16:03.000Z",
};

export const sessionMetricInputExample = { ...measured, fencing_token: 1 };

export const sessionLogInputExample = {
  fencing_token: 1,
  text:
    '[20:20:1126/101603.218:INFO:CONSOLE:1] "hello", source: https://example.org/ (1)\n',
};

export const observationExample = {
  webhook_id: "01a20ad4-7c11-7b02-9b1e-2f6a4d0c8e55",
  events: ["Network.responseReceived"],
  filters: [{
    path: "params.response.status",
    operator: "ge" as const,
    value: 500,
  }],
};

export const claimedSessionExample = {
  id: ID,
  fencing_token: 1,
  lease_ttl_ms: 30_000,
  start_timeout_ms: 120_000,
  work_pool_id: POOL_ID,
  provider_type: "docker",
  provider_config: {},
  browser: "chrome",
  version: "stable",
  headless: true,
  operating_system: "linux",
  screen: { width: 1920, height: 1080, dpi: 96, scale: 1 },
  proxy: null,
  resource_limits: { cpu: 2, memory: "2G", timeout_minutes: 30 },
  environment: { LANG: "de_DE.UTF-8" },
  arguments: [],
  isolated: true,
  egress: {
    mode: "no_private",
    allow: ["10.1.0.0/16"],
    pool: "crawlers",
  },
};

export const sessionReportExample = {
  session_id: ID,
  fencing_token: 1,
  status: "running",
  endpoint: "ws://127.0.0.1:33333/devtools/browser/6a0f",
  metrics: measured,
};

export const reportResultExample = {
  session_id: ID,
  result: "accepted",
  expires_in_ms: 1_739_000,
};

export const stopCommandExample = {
  type: "stop",
  session_id: ID,
  fencing_token: 1,
  status: "completed",
  reason: "ended by its owner",
  force: false,
};

function collectWireExamples(
  fields: Readonly<Record<string, SessionField>>,
): Record<string, unknown> {
  const entries = Object.entries(fields).filter(([, { wire }]) => wire)
    .map(([name, { example, wireExample = example }]) => [name, wireExample]);
  return Object.fromEntries(entries);
}
