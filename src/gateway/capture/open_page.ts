import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { GridEnv } from "../../core/middleware.ts";
import { askChromeFor } from "../devtools/browser_http_client.ts";
import { type ChromeParts, wayOf } from "../devtools/route_context.ts";
import { targetNotFound } from "../devtools/target_id.ts";
import type { Way } from "../dialer.ts";
import { Conversation } from "./cdp_session.ts";
import { bePatient, givenUp, type Patience } from "./extendable_timeout.ts";
import type { KeyedMutex } from "../../async/keyed_mutex.ts";

/** What looks at pages need. */
export interface LookParts extends ChromeParts {
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
  readonly page: Conversation;
  readonly patience: Patience;
  /** Ends with the rest, or before. */
  readonly turn: Disposable;
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
  parts: LookParts,
  c: Context<GridEnv>,
  { id, targetId }: PageRef,
): Promise<OpenPage> {
  const way = await wayOf(parts, c, id);
  using opening = new DisposableStack();
  const patience = opening.use(bePatient(parts.core.clock));
  const signal = AbortSignal.any([patience.signal, c.req.raw.signal]);
  const turn = opening.use(
    await parts.locks.acquire(id, signal).catch(() => {
      throw givenUp(signal);
    }),
  );
  const wanted = targetId ?? await lastUsed(way, signal);
  const page = opening.use(await Conversation.open(way, wanted, signal));
  const opened = opening.move();
  return { page, patience, turn, [Symbol.dispose]: () => opened.dispose() };
}

/** Chrome lists what was used last first. */
async function lastUsed(way: Way, signal: AbortSignal): Promise<string> {
  const question = { path: "/json/list", schema: targetsSchema, signal };
  const targets = await askChromeFor(way, question);
  const page = targets.find(({ type }) => type === "page");
  if (page) return page.id;
  throw targetNotFound("no page is open in the browser");
}
