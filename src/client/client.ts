/**
 * Client of the HTTP API, for programs in TypeScript. The program's own commands and its worker use it too.
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
 * It is plain TypeScript without dependencies, for whatever has `fetch`. Every call takes a signal and a timeout; none is repeated by itself. A refusal is an `ApiError` with the problem's code.
 *
 * @module
 */
import { type BrowserMethods, browserMethods } from "./browser_methods.ts";
import {
  type ClientOptions,
  createTransport,
  type Transport,
} from "./transport.ts";
import { type KeyMethods, keyMethods } from "./key_methods.ts";
import { type PoolMethods, poolMethods } from "./pool_methods.ts";
import { type SessionMethods, sessionMethods } from "./session_methods.ts";
import { type SystemMethods, systemMethods } from "./system_methods.ts";
import { type WorkerMethods, workerMethods } from "./worker_methods.ts";

export type {
  ClaimedSession,
  ReportResult,
  SessionReport,
  StopCommand,
} from "../apps/sessions/schemas/leases.ts";
export type {
  HeartbeatInput,
  HeldSessionWire,
  ReadyBrowsers,
  Registration,
  WorkerCommand,
} from "../apps/workers/schemas.ts";
export { ApiError } from "./api_error.ts";
export type {
  DevtoolsJson,
  PdfQuery,
  ScreenshotQuery,
} from "./browser_methods.ts";
export type { CallOptions, ClientOptions, Query } from "./transport.ts";
export { each, type Page } from "./pages.ts";
export type { KeyBody } from "./key_methods.ts";
export type { PoolBody } from "./pool_methods.ts";
export type { WorkerBody } from "./worker_methods.ts";

/** One method for each endpoint, by the name that the description of the API gives it. All throw `ApiError`. */
export interface GridClient
  extends
    SessionMethods,
    BrowserMethods,
    PoolMethods,
    WorkerMethods,
    KeyMethods,
    SystemMethods {
  readonly apiUrl: string;
}

/** A client of the server at `apiUrl`. Answers are trusted to be of this version's shapes. */
export function createClient(options: ClientOptions): GridClient {
  const exchange: Transport = createTransport(options);
  return {
    apiUrl: exchange.apiUrl,
    ...sessionMethods(exchange),
    ...browserMethods(exchange),
    ...poolMethods(exchange),
    ...workerMethods(exchange),
    ...keyMethods(exchange),
    ...systemMethods(exchange),
  };
}
