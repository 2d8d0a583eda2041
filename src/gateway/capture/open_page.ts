import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { KeyedMutex } from "../../async/keyed_mutex.ts";
import type { GridEnv } from "../../core/middleware.ts";
import { requestDevtoolsJson } from "../devtools/browser_http_client.ts";
import {
  type DevtoolsContext,
  resolveDialer,
} from "../devtools/devtools_context.ts";
import { targetNotFound } from "../devtools/target_id.ts";
import type { Dialer } from "../dialer.ts";
import type { CdpSession } from "./cdp_session.ts";
import { ExtendableTimeout, toAbortProblem } from "./extendable_timeout.ts";

/** Dependencies of the capture routes. */
export interface CaptureContext extends DevtoolsContext {
  /**
   * Locks by session: one capture of a session runs at a time. A screenshot is held in memory several times over, so
   * many at once would exhaust the memory that all sessions share.
   */
  readonly locks: KeyedMutex;
}

/** A page of a session. */
export interface PageRef {
  readonly id: string;
  /** Undefined selects the page that was used last. */
  readonly targetId: string | undefined;
}

const targetsSchema = z.array(
  z.looseObject({ id: z.string(), type: z.string() }),
);

/** An open connection to a page, with its timeout and its session's lock. Disposal ends all three. */
export class OpenPage implements Disposable {
  readonly cdp: CdpSession;
  readonly timeout: ExtendableTimeout;
  readonly #lock: Disposable;
  readonly #resources: DisposableStack;

  private constructor(
    cdp: CdpSession,
    timeout: ExtendableTimeout,
    owned: { readonly lock: Disposable; readonly resources: DisposableStack },
  ) {
    this.cdp = cdp;
    this.timeout = timeout;
    this.#lock = owned.lock;
    this.#resources = owned.resources;
  }

  /**
   * Connects to a page for the client of a request; the connection ends when that client disconnects. Connected clients
   * of the session are not affected, and the connection does not count as a client.
   *
   * @throws {GridError} The session's problems, `target_not_found`, `worker_unreachable`, `browser_timeout`.
   */
  static async open(
    context: CaptureContext,
    c: Context<GridEnv>,
    { id, targetId }: PageRef,
  ): Promise<OpenPage> {
    const dialer = await resolveDialer(context, c, id);
    const { CdpSession } = await import("./cdp_session.ts");
    using resources = new DisposableStack();
    const timeout = resources.use(new ExtendableTimeout(context.core.clock));
    const signal = AbortSignal.any([timeout.signal, c.req.raw.signal]);
    const lock = resources.use(
      await context.locks.acquire(id, signal).catch(() => {
        throw toAbortProblem(signal);
      }),
    );
    const target = targetId ?? await findLastUsedPage(dialer, signal);
    const cdp = resources.use(await CdpSession.open(dialer, target, signal));
    return new OpenPage(cdp, timeout, { lock, resources: resources.move() });
  }

  /** Releases the session's lock before the connection ends. */
  releaseLock(): void {
    this.#lock[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.#resources.dispose();
  }
}

/** Returns the id of the page that was used last. Chrome lists it first. */
async function findLastUsedPage(
  dialer: Dialer,
  signal: AbortSignal,
): Promise<string> {
  const targets = await requestDevtoolsJson(dialer, {
    path: "/json/list",
    schema: targetsSchema,
    signal,
  });
  const page = targets.find(({ type }) => type === "page");
  if (page) return page.id;
  throw targetNotFound("no page is open in the browser");
}
