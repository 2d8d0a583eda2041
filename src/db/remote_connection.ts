import { createClient } from "@libsql/client/web";
import { systemClock } from "../async/clock.ts";
import { deadline } from "../async/deadline.ts";
import { type Connection, MAX_CONCURRENCY } from "./connection.ts";
import { GridError } from "../core/errors.ts";
import { databaseForbidden, databaseUnavailable } from "./driver_errors.ts";

/** Longest time for a remote server to answer one request. */
const RESPONSE_TIMEOUT_MS = 10_000;

/** Options of a connection to a remote server. */
export interface RemoteOptions {
  readonly authToken?: string | undefined;
  /** @default {10_000} */
  readonly responseTimeoutMs?: number;
}

/** Creates the client of `libsql://...`, `https://...` or `http://...`. A request without a response in time is aborted. */
export function connectRemote(
  url: string,
  { authToken, responseTimeoutMs: answerMs = RESPONSE_TIMEOUT_MS }:
    RemoteOptions = {},
): Connection {
  const closing = new AbortController();
  const client = createClient({
    url,
    ...(authToken === undefined ? {} : { authToken }),
    concurrency: 2 * MAX_CONCURRENCY,
    fetch: (request: Request) =>
      fetchResponse(request, answerMs, closing.signal),
  });
  return {
    client,
    concurrency: MAX_CONCURRENCY,
    run: (call) => call(),
    reconnect: () => client.reconnect(),
    [Symbol.dispose]() {
      closing.abort();
      client.close();
    },
  };
}

/**
 * Sends `request` and reads the whole response.
 *
 * @throws {GridError} `database_unavailable` - there is no response. The server may have executed the request.
 */
async function fetchResponse(
  request: Request,
  answerMs: number,
  closing: AbortSignal,
): Promise<Response> {
  try {
    using within = deadline(systemClock, answerMs, closing);
    const response = await fetch(request, { signal: within.signal });
    const body = await response.text();
    if ([401, 403].includes(response.status)) {
      throw databaseForbidden(response.status);
    }
    if (!response.ok) throw new Error(`HTTP status ${response.status}`);
    return new Response(body, { headers: response.headers });
  } catch (error) {
    throw error instanceof GridError ? error : databaseUnavailable(error);
  }
}
