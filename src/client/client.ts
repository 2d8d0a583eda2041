/**
 * Client of the HTTP API, for programs in TypeScript. The command line and the worker use it too.
 *
 * ```ts
 * import { createClient } from "browsergrid/client";
 *
 * const client = createClient({ apiUrl: "http://127.0.0.1:8765" });
 * const session = await client.createSession(
 *   { browser: "chrome", labels: { team: "search" } },
 *   { waitSeconds: 60 },
 * );
 * console.log(session.connect_url);
 * await client.stopSession(session.id);
 * ```
 *
 * It is plain TypeScript without dependencies, for every runtime with `fetch`. Each call accepts a signal and a timeout. Calls are not retried; a stream of events is opened again, and `waitForHandover` asks again. A problem is thrown as an `ApiError` with the problem's code.
 *
 * @module
 */
import {
  type BrowserMethods,
  createBrowserMethods,
} from "./browser_methods.ts";
import { createEventMethods, type EventMethods } from "./event_methods.ts";
import { type ClientOptions, Transport } from "./transport.ts";
import {
  createHandoverMethods,
  type HandoverMethods,
} from "./handover_methods.ts";
import { createKeyMethods, type KeyMethods } from "./key_methods.ts";
import { createLiveMethods, type LiveMethods } from "./live_methods.ts";
import { createPoolMethods, type PoolMethods } from "./pool_methods.ts";
import {
  createSessionMethods,
  type SessionMethods,
} from "./session_methods.ts";
import { createSystemMethods, type SystemMethods } from "./system_methods.ts";
import {
  createWebhookMethods,
  type WebhookMethods,
} from "./webhook_methods.ts";
import { createWorkerMethods, type WorkerMethods } from "./worker_methods.ts";

export { ApiError, type ApiErrorOptions, type ApiFault } from "./api_error.ts";
export type {
  BrowserMethods,
  DevtoolsJson,
  PdfQuery,
  ScreenshotQuery,
  TargetQuery,
} from "./browser_methods.ts";
export type {
  EventFilterQuery,
  EventMethods,
  EventQuery,
  EventStreamQuery,
} from "./event_methods.ts";
export type { EventStreamOptions } from "./event_stream.ts";
export type { HandoverMethods, HandoverOptions } from "./handover_methods.ts";
export type { KeyBody, KeyMethods } from "./key_methods.ts";
export type { LiveMethods } from "./live_methods.ts";
export type { MetricsPage, MetricsQuery } from "./metrics_page.ts";
export { each, type Page, type PageQuery } from "./pages.ts";
export type {
  PoolBody,
  PoolCall,
  PoolMethods,
  PoolQuery,
  ProviderList,
} from "./pool_methods.ts";
export type {
  CreateSessionOptions,
  FollowedEnd,
  SessionEventBody,
  SessionLogBody,
  SessionLogPart,
  SessionMethods,
  SessionMetricBody,
  SessionQuery,
} from "./session_methods.ts";
export type { SystemMethods } from "./system_methods.ts";
export type { CallOptions, ClientOptions, Query } from "./transport.ts";
export type {
  DeliveryQuery,
  WebhookMethods,
  WebhookPatchBody,
  WebhookRotation,
} from "./webhook_methods.ts";
export type {
  ProvenOptions,
  WorkerBody,
  WorkerMethods,
  WorkerQuery,
} from "./worker_methods.ts";
export type { SchemaInput, SchemaOutput } from "../core/schema.ts";
export type { WorkerProof } from "../core/worker_proof.ts";
export type { EventSchemas, EventWire } from "../apps/events/schemas.ts";
export type {
  HandoverBody,
  HandoverFinish,
  HandoverSchemas,
  HandoverWire,
  NewHandoverWire,
} from "../apps/handover/schemas.ts";
export type {
  CallerWire,
  KeySchemas,
  KeyWire,
  NewKeyWire,
} from "../apps/keys/schemas.ts";
export type {
  LiveLinkBody,
  LiveLinkList,
  LiveLinkSchemas,
  LiveLinkWire,
  NewLiveLinkWire,
} from "../apps/live/schemas.ts";
export type {
  ClaimedSession,
  ReportResult,
  SessionLeaseSchemas,
  SessionReport,
  StopCommand,
} from "../apps/sessions/schemas/leases.ts";
export type {
  EventFilter,
  Observation,
  ObservationSchemas,
} from "../apps/sessions/schemas/observations.ts";
export type {
  BrowserEventSchemas,
  BrowserEventsInput,
  BrowserEventsResult,
} from "../apps/webhooks/schemas/browser_events.ts";
export type {
  SessionEventWire,
  SessionHistorySchemas,
  SessionMetricWire,
} from "../apps/sessions/schemas/history.ts";
export type {
  SessionDetailWire,
  SessionInput,
  SessionSchemas,
  SessionWire,
} from "../apps/sessions/schemas.ts";
export type {
  DeliveryWire,
  NewWebhookWire,
  WebhookBody,
  WebhookSchemas,
  WebhookWire,
} from "../apps/webhooks/schemas.ts";
export type {
  NewPoolWire,
  PoolPatch,
  PoolSchemas,
  PoolWire,
  Pressure,
} from "../apps/workerpool/schemas.ts";
export type {
  ProviderSchemas,
  ProviderWire,
} from "../apps/workerpool/schemas/providers.ts";
export type {
  HeldSessionWire,
  Registration,
  WorkerMetricWire,
  WorkerSchemas,
  WorkerWire,
} from "../apps/workers/schemas.ts";
export type {
  ClaimInput,
  ClaimResponse,
  HeartbeatInput,
  HeartbeatResponse,
  ReadyBrowsers,
  WorkerCommand,
  WorkerServiceSchemas,
} from "../apps/workers/schemas/service.ts";

/** Client of one server. Each endpoint has a method, named like its operation in the API description. All throw `ApiError`. */
export interface GridClient
  extends
    SessionMethods,
    BrowserMethods,
    LiveMethods,
    PoolMethods,
    WorkerMethods,
    HandoverMethods,
    KeyMethods,
    EventMethods,
    WebhookMethods,
    SystemMethods {
  /** URL of the server, without a slash at the end. */
  readonly apiUrl: string;
}

/** Creates a client of the server at `apiUrl`. Responses are trusted to have the form of this version. */
export function createClient(options: ClientOptions): GridClient {
  const transport = new Transport(options);
  return {
    apiUrl: transport.apiUrl,
    ...createSessionMethods(transport),
    ...createBrowserMethods(transport),
    ...createLiveMethods(transport),
    ...createPoolMethods(transport),
    ...createWorkerMethods(transport),
    ...createHandoverMethods(transport),
    ...createKeyMethods(transport),
    ...createEventMethods(transport),
    ...createWebhookMethods(transport),
    ...createSystemMethods(transport),
  };
}
