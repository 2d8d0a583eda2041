/** Examples for the API description; a test checks them against their schemas. */
export const webhookInputExample = {
  name: "billing",
  url: "https://hooks.example.com/browsergrid",
  event_pattern: "session.*",
  labels: { team: "search" },
};

export const webhookExample = {
  id: "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d",
  owner: null,
  name: "billing",
  description: "",
  url: "https://hooks.example.com/browsergrid",
  headers: ["Authorization"],
  event_pattern: "session.*",
  filters: [],
  queue_longer_than: null,
  session_id: null,
  work_pool_id: null,
  labels: { team: "search" },
  timeout_seconds: 10,
  max_attempts: 8,
  include_connect_url: false,
  active: true,
  inactive_reason: null,
  failing_since: null,
  failures: 0,
  dropped_events: 0,
  previous_secret_until: null,
  created_at: "2026-11-24T10:15:03.020Z",
  updated_at: "2026-11-24T10:15:03.020Z",
};

export const newWebhookExample = {
  ...webhookExample,
  secret: "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDm6bJ5t4cLnI=",
};

export const deliveryExample = {
  id: 7,
  webhook_id: "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d",
  message_id: "evt_42_01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d",
  event_sequence: 42,
  type: "session.running",
  status: "delivered" as const,
  attempts: 1,
  status_code: 204,
  duration_ms: 35,
  error: null,
  response: "",
  timestamp: "2026-11-24T10:15:03.020Z",
  next_attempt_at: null,
  last_attempt_at: "2026-11-24T10:15:03.041Z",
  ended_at: "2026-11-24T10:15:03.076Z",
};

export const browserEventsExample = {
  events: [{
    webhook_id: "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d",
    session_id: "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5e",
    fencing_token: 1,
    id: "9f0c7f1e-1c2b-4f57-8a0a-8d6b1f0f6f3a",
    method: "Network.responseReceived",
    age_ms: 80,
    target: {
      id: "8A8F0C1B5D0E4F6B9E3D2C1B0A998877",
      type: "page",
      url: "https://example.com/",
    },
    params: { response: { url: "https://example.com/api", status: 503 } },
    dropped: 0,
  }],
};
