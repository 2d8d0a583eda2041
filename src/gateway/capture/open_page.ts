import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { GridEnv } from "../../core/middleware.ts";
import { requestDevtoolsJson } from "../devtools/browser_http_client.ts";
import {
  type DevtoolsContext,
  resolveDialer,
} from "../devtools/route_context.ts";
import { targetNotFound } from "../devtools/target_id.ts";
import type { Dialer } from "../dialer.ts";
import { CdpSession } from "./cdp_session.ts";
import {
  type ExtendableTimeout,
  timeoutAfter,
  toAbortProblem,
} from "./extendable_timeout.ts";
import type { KeyedMutex } from "../../async/keyed_mutex.ts";

/** What looks at pages need. */
export interface CaptureContext extends DevtoolsContext {
  /**
   * By session. A picture is held whole here, several times over, so many at once of one browser would cost others
   * their memory.
   */
  readonly locks: KeyedMutex;
}

/** Which page of which session. */
export interface PageRef {
  readonly id: string;
  /** By default the page that was used last. */
  readonly targetId: string | undefined;
}

/** A page that answers, and how long it may take. Disposal ends the conversation. */
export interface OpenPage extends Disposable {
  readonly page: CdpSession;
  readonly timeout: ExtendableTimeout;
  /** Ends with the rest, or before. */
  readonly lock: Disposable;
}

const targetsSchema = z.array(
  z.looseObject({ id: z.string(), type: z.string() }),
);

/**
 * Begins a conversation with a page, for whoever asks; it ends when that one goes. Clients of the session go on beside
 * it, and it counts as none.
 *
 * @throws {GridError} Of the session, `target_not_found`, `worker_unreachable`.
 */
export async function openPage(
  parts: CaptureContext,
  c: Context<GridEnv>,
  { id, targetId }: PageRef,
): Promise<OpenPage> {
  const dialer = await resolveDialer(parts, c, id);
  using opening = new DisposableStack();
  const timeout = opening.use(timeoutAfter(parts.core.clock));
  const signal = AbortSignal.any([timeout.signal, c.req.raw.signal]);
  const turn = opening.use(
    await parts.locks.acquire(id, signal).catch(() => {
      throw toAbortProblem(signal);
    }),
  );
  const target = targetId ?? await findLastUsedPage(dialer, signal);
  const page = opening.use(await CdpSession.open(dialer, target, signal));
  const opened = opening.move();
  return {
    page,
    timeout,
    lock: turn,
    [Symbol.dispose]: () => opened.dispose(),
  };
}

/** Chrome lists what was used last first. */
async function findLastUsedPage(
  dialer: Dialer,
  signal: AbortSignal,
): Promise<string> {
  const question = { path: "/json/list", schema: targetsSchema, signal };
  const targets = await requestDevtoolsJson(dialer, question);
  const page = targets.find(({ type }) => type === "page");
  if (page) return page.id;
  throw targetNotFound("no page is open in the browser");
}
