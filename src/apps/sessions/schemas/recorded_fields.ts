import { z } from "@hono/zod-openapi";
import { CONTROLS, SESSION_STATUSES } from "../status.ts";
import type { SessionField } from "./field.ts";

const ID = "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d";
const CREATED = "2026-11-24T10:15:02.140Z";
const STARTED = "2026-11-24T10:15:03.020Z";

/** Fields that identify a session. */
export const identityFields = {
  id: { wire: z.uuid(), wireExample: ID },
  owner: {
    wire: z.string().describe(
      "Id of the key that created the session; bootstrap or anonymous",
    ),
    wireExample: "01a20ad2-7c4b-7e0a-9b1f-5d2e8f6a3c10",
  },
} satisfies Readonly<Record<string, SessionField>>;

/** Fields that the grid records while a session lives. No client sets them. */
export const recordedFields = {
  provider: { wire: z.string(), wireExample: "docker" },
  status: { wire: z.enum(SESSION_STATUSES), wireExample: "running" },
  status_reason: {
    wire: z.string().nullable().describe(
      "Reason for the status. For a pending session, why it waits; a request for a single session adds its place in the queue",
    ),
    wireExample: null,
  },
  created_at: { wire: z.iso.datetime(), wireExample: CREATED },
  updated_at: { wire: z.iso.datetime(), wireExample: STARTED },
  started_at: { wire: z.iso.datetime().nullable(), wireExample: STARTED },
  ended_at: { wire: z.iso.datetime().nullable(), wireExample: null },
  expires_at: {
    wire: z.iso.datetime(),
    wireExample: "2026-11-24T10:45:02.140Z",
  },
  idle_since: {
    wire: z.iso.datetime().nullable().describe(
      "Time since which no client has used the session; null if it is in use or does not run",
    ),
    wireExample: null,
  },
  worker_id: {
    wire: z.uuid().nullable(),
    wireExample: "01a20ad2-9f3a-7b64-8a55-6c1e7f0b2d39",
  },
  container_id: { wire: z.string().nullable(), wireExample: "4f1c2ab9d0e7" },
  details: {
    wire: z.record(z.string(), z.string()).describe(
      "Facts about the browser from its provider: process id, image, version",
    ),
    wireExample: { image: "browsergrid/chrome:latest" },
  },
  reach: {
    wire: z.enum(["direct", "tunnel"]).nullable().describe(
      "How the server reaches the browser: at its address, or through the worker's tunnel; null if not known yet",
    ),
    wireExample: "direct",
  },
  warm: {
    wire: z.boolean().describe("The session received a warm browser"),
    wireExample: false,
  },
  control: {
    wire: z.enum(CONTROLS).describe(
      "Side that controls the browser: its client, a person to whom it was handed over, or both",
    ),
    wireExample: "client",
  },
  trace_id: {
    wire: z.string().nullable().describe(
      "Id of the trace that the session belongs to, from the header traceparent of the request that created it",
    ),
    wireExample: "4bf92f3577b34da6a3ce929d0e0e4736",
  },
  connect_url: {
    wire: z.string().describe(
      "WebSocket address for Playwright, Puppeteer or any CDP client",
    ),
    wireExample: `ws://127.0.0.1:8765/v1/sessions/${ID}/cdp`,
  },
  live_url: {
    wire: z.string().nullable().describe(
      "Address at which people who sign in with a key watch the browser; null if the session has ended or the live view is off",
    ),
    wireExample: `http://127.0.0.1:8765/ui/sessions/${ID}/live`,
  },
} satisfies Readonly<Record<string, SessionField>>;
