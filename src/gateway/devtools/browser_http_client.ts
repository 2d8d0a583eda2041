import type { z } from "@hono/zod-openapi";
import { systemClock } from "../../async/clock.ts";
import { deadline } from "../../async/deadline.ts";
import { GridError } from "../../core/errors.ts";
import {
  type BrowserRequest,
  type BrowserResponse,
  requestBrowser,
  RESPONSE_MS,
} from "../browser_http.ts";
import { browserUnreachable, type Dialer } from "../dialer.ts";
import { targetNotFound } from "./target_id.ts";
import { gatewayProblems } from "../problems.ts";

/** Chrome's response for an unknown target id. */
const NO_TARGET = /^No such target/;

/**
 * Sends a request to a browser and returns its response if the status is 200.
 *
 * @throws {GridError} `worker_unreachable` - no response; `target_not_found`, `browser_refused` - another status, with the
 *   browser's message.
 */
export async function requestDevtools(
  dialer: Dialer,
  request: BrowserRequest,
): Promise<BrowserResponse> {
  const response = await requestWithTimeout(dialer, request);
  if (response.status === 200) return response;
  const message = response.body.slice(0, 200);
  if (NO_TARGET.test(message)) throw targetNotFound(message);
  throw new GridError(
    gatewayProblems.browser_refused,
    `Cannot use the browser: it says "${message}", expected a request that it supports`,
  );
}

/**
 * Sends a request to a browser and returns the body of its response, parsed with `schema`.
 *
 * @throws {GridError} As {@linkcode requestDevtools}; `worker_unreachable` also if the body does not match `schema`.
 */
export async function requestDevtoolsJson<T>(
  dialer: Dialer,
  { schema, ...request }: BrowserRequest & { readonly schema: z.ZodType<T> },
): Promise<T> {
  const { body } = await requestDevtools(dialer, request);
  try {
    return schema.parse(JSON.parse(body));
  } catch (cause) {
    throw browserUnreachable(cause);
  }
}

async function requestWithTimeout(
  dialer: Dialer,
  request: BrowserRequest,
): Promise<BrowserResponse> {
  using timeout = deadline(systemClock, RESPONSE_MS, request.signal);
  try {
    return await requestBrowser(dialer, {
      ...request,
      signal: timeout.signal,
    });
  } catch (cause) {
    throw browserUnreachable(cause);
  }
}
