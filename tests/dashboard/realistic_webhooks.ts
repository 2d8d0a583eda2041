import type { Api } from "../support/api.ts";
import type { TestGrid } from "../support/grid.ts";

const MINUTE_MS = 60_000;

/** Results of the deliveries, oldest first. */
const RESULTS = [
  {
    status: "failed",
    type: "session.failed",
    attempts: 8,
    code: 500,
    error: "it responded with status 500, expected 2xx",
    response: "Out of memory",
  },
  {
    status: "delivered",
    type: "session.running",
    attempts: 1,
    code: 200,
    error: null,
    response: '{"accepted":true}',
  },
  {
    status: "delivered",
    type: "session.completed",
    attempts: 2,
    code: 204,
    error: null,
    response: "",
  },
  {
    status: "pending",
    type: "session.running",
    attempts: 3,
    code: null,
    error: "it did not respond, expected a response within 10 s",
    response: null,
  },
] as const;

/** Creates webhooks, of which one has deliveries of each status. Returns its id. */
export async function addWebhooks(
  { core: { db } }: TestGrid,
  api: Api,
): Promise<string> {
  await api.call("POST", "/webhooks", {
    name: "pager",
    url: "https://hooks.example/pager",
    template: "session_crashed",
    active: false,
  });
  const { body: { id } } = await api.call("POST", "/webhooks", {
    name: "billing",
    description: "Minutes of each session, for the invoices",
    url: "https://hooks.example/browsergrid",
    event_pattern: "session.*",
    headers: { authorization: "Bearer secret" },
    labels: { team: "search" },
  });
  const now = Date.now();
  for (const [at, result] of RESULTS.entries()) {
    const time = now - (RESULTS.length - at) * MINUTE_MS;
    const isPending = result.status === "pending";
    await db.client.execute({
      sql:
        "INSERT INTO webhook_deliveries (webhook_id, message_id, type, subject, data, timestamp, status, attempts, due_at, last_attempt_at, duration_ms, status_code, error, response, ended_at) VALUES (?, ?, ?, ?, '{}', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      args: [
        id,
        crypto.randomUUID(),
        result.type,
        `subject-${at}`,
        time,
        result.status,
        result.attempts,
        isPending ? now + 30 * MINUTE_MS : null,
        time,
        35 + at * 120,
        result.code,
        result.error,
        result.response,
        isPending ? null : time,
      ],
    });
  }
  return id;
}
