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

/** How Chrome refuses an id. */
const NO_TARGET = /^No such target/;

/**
 * What Chrome answers when it does what it is asked.
 *
 * @throws {GridError} `worker_unreachable` — no answer; `target_not_found` or `browser_refused` — with its own words.
 */
export async function requestDevtools(
  dialer: Dialer,
  question: BrowserRequest,
): Promise<BrowserResponse> {
  const answer = await requestWithTimeout(dialer, question);
  if (answer.status === 200) return answer;
  const words = answer.body.slice(0, 200);
  if (NO_TARGET.test(words)) throw targetNotFound(words);
  throw new GridError(
    gatewayProblems.browser_refused,
    `Cannot ask the browser: it says "${words}", expected what it can do`,
  );
}

/**
 * The same, of JSON.
 *
 * @throws {GridError} Also `worker_unreachable` — it is none, or none that a browser gives.
 */
export async function requestDevtoolsJson<T>(
  dialer: Dialer,
  { schema, ...question }: BrowserRequest & { readonly schema: z.ZodType<T> },
): Promise<T> {
  const { body } = await requestDevtools(dialer, question);
  try {
    return schema.parse(JSON.parse(body));
  } catch (cause) {
    throw browserUnreachable(cause);
  }
}

async function requestWithTimeout(
  dialer: Dialer,
  question: BrowserRequest,
): Promise<BrowserResponse> {
  using timeout = deadline(systemClock, RESPONSE_MS, question.signal);
  try {
    return await requestBrowser(dialer, {
      ...question,
      signal: timeout.signal,
    });
  } catch (cause) {
    throw browserUnreachable(cause);
  }
}
