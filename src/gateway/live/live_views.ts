import type { HandoverManager } from "../../apps/handover/manager.ts";
import type { LiveManager } from "../../apps/live/manager.ts";
import type { Session, SessionManager } from "../../apps/sessions/manager.ts";
import { every } from "../../async/every.ts";
import type { Core } from "../../core/app.ts";
import { ANONYMOUS, type Caller } from "../../core/caller.ts";
import { GridError } from "../../core/errors.ts";
import { createLogger, describeError } from "../../core/log.ts";
import { findOwnerLimit } from "../../http/auth/access.ts";
import { createKeyCheck } from "../../http/auth/auth.ts";
import { pairHeaders } from "../../http/server/upgrade_gate.ts";
import type { Upgrade } from "../../http/server/socket_route.ts";
import { abortOnClose } from "../abort_on_close.ts";
import {
  browserUnreachable,
  type DialerFor,
  type RunningTarget,
} from "../dialer.ts";
import { shuttingDown } from "../problems.ts";
import { resolveTarget } from "../target.ts";
import { checkHandshake } from "../upgrade_request.ts";
import { liveViewProblems } from "./problems.ts";
import type { LiveHandlers } from "./routes.ts";
import { SessionHub } from "./session_hub.ts";
import type { ViewerGrant } from "./viewer.ts";
import { readLinkToken, ViewerSockets } from "./viewer_sockets.ts";
import { watchForEnd } from "../stream/watch_for_end.ts";

const log = createLogger("gateway", "live");

/** Interval in which links, keys and control are read again, so that a revocation works within a second. */
const READ_MS = 500;

/** Number of reads between two records of activity, well below the shortest idle timeout. */
const READS_PER_ACTIVITY = 4;

/** Number of reads between two records of a viewer's control, which ends after 15 s without one. */
const READS_PER_CONTROL = 8;

/** Maximum number of viewers of a session at one server. */
const MAX_VIEWERS = 50;

/** Dependencies of {@linkcode LiveViews}. */
export interface LiveViewsContext {
  readonly core: Core;
  readonly sessions: SessionManager;
  readonly links: LiveManager;
  readonly control: HandoverManager;
  readonly dialerFor: DialerFor;
}

/** A session with viewers at this server. */
interface OpenHub {
  readonly hub: SessionHub;
  /** Resolves when the browser is connected. */
  readonly connected: Promise<void>;
}

/** The viewers of this server, by session. Without viewers it does nothing. Disposal ends all views. */
export class LiveViews implements LiveHandlers, AsyncDisposable {
  readonly #context: LiveViewsContext;
  readonly #sockets = new ViewerSockets();
  readonly #hubs = new Map<string, OpenHub>();
  #reading: AsyncDisposable | undefined;
  /** Records of control that have not been written yet. */
  readonly #writes = new Set<Promise<void>>();
  #reads = 0;

  constructor(context: LiveViewsContext) {
    this.#context = context;
  }

  /**
   * Serves a caller with a key, who may use the session.
   *
   * @throws {GridError} As {@linkcode resolveTarget}; `worker_unreachable`, `too_many_viewers`.
   */
  async serveSession(upgrade: Upgrade): Promise<void> {
    const { core, links } = this.#context;
    links.requireOn();
    const { request, context, params } = upgrade;
    checkHandshake(core, request, context);
    const { caller = ANONYMOUS, url, baseUrl } = context;
    await this.#serve(upgrade, {
      sessionId: params["id"] ?? "",
      caller,
      grant: {
        mode: "control",
        linkId: undefined,
        expiresAt: caller.signedInUntil,
        name: caller.name,
        isValid: createKeyCheck(core.auth, {
          headers: new Headers(pairHeaders(request.rawHeaders)),
          baseUrl,
          query: url.searchParams,
        }),
      },
    });
  }

  /** Serves a person with a link. @throws {GridError} As {@linkcode serveSession}; `live_link_not_valid`. */
  async serveLink(upgrade: Upgrade): Promise<void> {
    const { core, links } = this.#context;
    const { request, context } = upgrade;
    checkHandshake(core, request, context);
    const { id, sessionId, mode, expiresAt } = await links.openLink(
      readLinkToken(request),
    );
    const name = `live:${id}`;
    await this.#serve(upgrade, {
      sessionId,
      caller: { id: name, name, role: "client", sessionId },
      grant: {
        mode,
        linkId: id,
        expiresAt,
        name,
      },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { hub } of [...this.#hubs.values()]) {
      hub.end("server_stopping", "The server stops; connect again.");
    }
    await this.#reading?.[Symbol.asyncDispose]();
    await Promise.all(this.#writes);
  }

  async #serve(
    { request, socket, head }: Upgrade,
    { sessionId, caller, grant }: {
      readonly sessionId: string;
      readonly caller: Caller;
      readonly grant: ViewerGrant;
    },
  ): Promise<void> {
    const { core, sessions } = this.#context;
    if (core.stopping.aborted) throw shuttingDown();
    using end = watchForEnd(core.bus, sessionId);
    using _watch = sessions.watch("end", sessionId);
    const signal = AbortSignal.any([
      abortOnClose(socket),
      core.stopping,
      end.signal,
    ]);
    const target = await resolveTarget(
      { core, manager: sessions, caller },
      sessionId,
      signal,
    );
    const session = await sessions.forOwner(findOwnerLimit(caller)).get(
      sessionId,
    );
    const { hub, connected } = this.#hubs.get(sessionId) ??
      this.#open(session, target);
    using _expected = hub.expectViewer();
    if (hub.places > MAX_VIEWERS) throw tooManyViewers(sessionId);
    await connected;
    if (hub.isOver) throw browserUnreachable(new Error("the view has ended"));
    signal.throwIfAborted();
    const viewer = this.#sockets.accept({ request, socket, head }, grant.mode);
    if (viewer) hub.add(viewer, grant);
  }

  #open(session: Session, target: RunningTarget): OpenHub {
    const { core, sessions, dialerFor } = this.#context;
    const { id } = session;
    const uses = new DisposableStack();
    const hub = new SessionHub({
      session,
      clock: core.clock,
      setControl: (control, by) =>
        this.#record(id, (state) => state.setControl(id, control, by)),
      finish: ({ result, note }, by) =>
        this.#record(
          id,
          (control) => control.finish(id, { result, by, ...note && { note } }),
        ),
      onEnd: () => {
        uses.dispose();
        this.#hubs.delete(id);
        if (this.#hubs.size === 0) this.#stopReading();
      },
    });
    uses.use(sessions.watch("end", id));
    const end = uses.use(watchForEnd(core.bus, id));
    end.signal.addEventListener(
      "abort",
      () => hub.end("session_ended", "The session has ended."),
    );
    const connected = dialerFor(target)
      .then((dialer) => hub.connect(dialer, core.stopping));
    const open = { hub, connected };
    this.#hubs.set(id, open);
    connected.catch(() => hub[Symbol.dispose]());
    this.#reading ??= every(() => this.#read(), {
      clock: core.clock,
      periodMs: READ_MS,
      onFailure: (error) =>
        log.warn("The links of viewers cannot be read: {error}", {
          error: describeError(error),
        }),
    });
    return open;
  }

  #stopReading(): void {
    void this.#reading?.[Symbol.asyncDispose]();
    this.#reading = undefined;
  }

  /** Writes a fact about the control of a session; the views go on if it fails. */
  #record(
    sessionId: string,
    write: (control: HandoverManager) => Promise<unknown>,
  ): void {
    const written = write(this.#context.control)
      .then(() => this.#readControl())
      .catch((error: unknown) =>
        log.warn("The control of a session cannot be recorded: {error}", {
          session_id: sessionId,
          error: describeError(error),
        })
      )
      .finally(() => this.#writes.delete(written));
    this.#writes.add(written);
  }

  /** Ends the views whose link, key or sign-in is no longer valid, and reads the control of the sessions. */
  async #read(): Promise<void> {
    await this.#endInvalid();
    await this.#readControl();
    if (++this.#reads % READS_PER_ACTIVITY === 0) await this.#recordActivity();
    if (this.#reads % READS_PER_CONTROL === 0) await this.#renewControl();
  }

  /** Records control again, also after a viewer at another server has given back its own. */
  async #renewControl(): Promise<void> {
    for (const [id, { hub }] of [...this.#hubs]) {
      const by = hub.controlledBy;
      if (by === undefined) continue;
      await this.#context.control.setControl(id, "shared", by);
    }
  }

  async #endInvalid(): Promise<void> {
    const viewers = [...this.#hubs.values()].flatMap(({ hub }) => [
      ...hub.viewers,
    ]);
    const linkIds = viewers.flatMap(({ grant: { linkId } }) => linkId ?? []);
    const ended = await this.#context.links.findEnded([...new Set(linkIds)]);
    const now = this.#context.core.clock.now();
    for (const viewer of viewers) {
      const { linkId, expiresAt = Infinity, isValid } = viewer.grant;
      const end = linkId === undefined ? undefined : ended.get(linkId);
      if (end === "revoked") {
        viewer.end("link_revoked", "This link has been revoked.");
      } else if (
        end === "expired" || linkId !== undefined && expiresAt <= now
      ) {
        viewer.end("link_expired", "This link has expired.");
      } else if (expiresAt <= now || await isValid?.() === false) {
        viewer.end("signed_out", "The key or the sign-in is no longer valid.");
      }
    }
  }

  async #readControl(): Promise<void> {
    const ids = [...this.#hubs.keys()];
    const states = await this.#context.control.states(ids);
    for (const [id, { hub }] of this.#hubs) hub.setState(states.get(id));
  }

  /** A session that a person uses is not idle. */
  async #recordActivity(): Promise<void> {
    const { core, sessions } = this.#context;
    const since = core.clock.monotonic() - READS_PER_ACTIVITY * READ_MS;
    const active = [...this.#hubs].filter(([, { hub }]) =>
      hub.lastInputAt >= since
    ).map(([id]) => id);
    if (active.length === 0) return;
    await sessions.activity.recordActivity({ active, clientsSeen: [] });
  }
}

function tooManyViewers(sessionId: string): GridError {
  return new GridError(
    liveViewProblems.too_many_viewers,
    `Cannot show session "${sessionId}": it has ${MAX_VIEWERS} viewers at this server, expected at most ${MAX_VIEWERS}; try again`,
    { session_id: sessionId },
  );
}
