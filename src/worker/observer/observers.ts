import { aborted } from "../../async/abortable.ts";
import type { Clock } from "../../async/clock.ts";
import { deadline } from "../../async/deadline.ts";
import type {
  GridClient,
  HeartbeatResponse,
  Observation,
} from "../../client/client.ts";
import { createLogger } from "../../core/log.ts";
import type { WorkerProof } from "../../core/worker_proof.ts";
import type { Report } from "../report.ts";
import type { BrowserAddress } from "./browser_connection.ts";
import type { EventSender, SessionRef } from "./event_sender.ts";
import type { SessionObserver } from "./session_observer.ts";

const log = createLogger("worker", "observer");

/** Maximum time that a session waits for its observer before it runs. */
const READY_MS = 2_000;

/** The observation of a session's browser. Disposal ends it. */
export interface SessionObservation extends Disposable {
  /** Resolves when the browser is observed, or does not let itself be observed in time; undefined if no webhook needs it. */
  readonly ready: Promise<void> | undefined;
}

/** Starts to observe the browser of a session for webhooks, if there are any. */
export type Observe = (
  session: SessionRef,
  browser: BrowserAddress,
  observations: readonly Observation[],
) => SessionObservation;

/** Options of {@linkcode Observers}. */
export interface ObserversOptions {
  readonly client: Pick<GridClient, "sendBrowserEvents">;
  readonly workerId: string;
  readonly proof: WorkerProof;
  readonly clock: Clock;
}

/** A session whose browser runs. */
interface Observed extends SessionRef {
  readonly browser: BrowserAddress;
  observations: readonly Observation[];
  /** Exists while there are observations. */
  observer?: SessionObserver | undefined;
}

/**
 * The observers of a worker: one connection to each browser whose events webhooks receive, and none to others. What they
 * need is loaded when the first webhook needs it.
 */
export class Observers implements AsyncDisposable {
  readonly #options: ObserversOptions;
  readonly #sessions = new Map<string, Observed>();
  /** Loads and ends of observers in progress. */
  readonly #changes = new Set<Promise<void>>();
  #sender: EventSender | undefined;

  constructor(options: ObserversOptions) {
    this.#options = options;
  }

  /** Number of open observers. */
  get size(): number {
    return [...this.#sessions.values()].filter(({ observer }) => observer)
      .length;
  }

  readonly observe: Observe = (session, browser, observations) => {
    const observed: Observed = { ...session, browser, observations: [] };
    this.#sessions.set(session.sessionId, observed);
    this.#setObservations(observed, observations);
    return {
      ready: observations.length > 0 ? this.#waitReady(observed) : undefined,
      [Symbol.dispose]: () => {
        this.#setObservations(observed, []);
        // The session may have been claimed again.
        if (this.#sessions.get(session.sessionId) !== observed) return;
        this.#sessions.delete(session.sessionId);
      },
    };
  };

  /** Applies the response to a heartbeat with the reports `sent`. Other sessions stay as they are. */
  update(
    sent: readonly Report[],
    { reports, observed = [] }: Pick<HeartbeatResponse, "reports" | "observed">,
  ): void {
    const accepted = new Set(
      reports.filter(({ result }) => result === "accepted")
        .map(({ session_id }) => session_id),
    );
    for (const { session_id, fencing_token, status } of sent) {
      const session = this.#sessions.get(session_id);
      if (session?.fencingToken !== fencing_token) continue;
      // The claim of a session that starts is newer than its report.
      if (status !== "running" || !accepted.has(session_id)) continue;
      const found = observed.find((each) => each.session_id === session_id);
      this.#setObservations(session, found?.observations ?? []);
    }
  }

  /** Ends all observers and sends the events that wait. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.#sessions.values()) {
      this.#setObservations(session, []);
    }
    await Promise.all(this.#changes);
    await this.#sender?.[Symbol.asyncDispose]();
  }

  #setObservations(
    session: Observed,
    observations: readonly Observation[],
  ): void {
    const isSame =
      JSON.stringify(session.observations) === JSON.stringify(observations);
    if (isSame) return;
    session.observations = observations;
    if (observations.length === 0) {
      const { observer } = session;
      session.observer = undefined;
      if (observer) this.#track(observer[Symbol.asyncDispose]());
    } else if (session.observer) session.observer.setObservations(observations);
    else this.#track(this.#open(session));
  }

  async #open(session: Observed): Promise<void> {
    const [{ SessionObserver }, { EventSender }] = await Promise.all([
      import("./session_observer.ts"),
      import("./event_sender.ts"),
    ]);
    // It may have ended in the meantime, or another load was faster.
    if (session.observations.length === 0 || session.observer) return;
    const sender = this.#sender ??= new EventSender(this.#options);
    log.info("Observing the browser of session {session_id} for webhooks", {
      session_id: session.sessionId,
    });
    session.observer = new SessionObserver({
      ...session,
      clock: this.#options.clock,
      onEvent: (event) => sender.send(session, event),
      onDropped: (webhookId) => sender.drop(session, webhookId),
    }, session.observations);
  }

  async #waitReady(session: Observed): Promise<void> {
    using timeout = deadline(this.#options.clock, READY_MS);
    await Promise.all(this.#changes);
    await Promise.race([session.observer?.ready, aborted(timeout.signal)]);
  }

  #track(change: Promise<void>): void {
    const tracked = change.catch((error: unknown) =>
      log.warn("Observer failed: {error}", { error })
    ).finally(() => this.#changes.delete(tracked));
    this.#changes.add(tracked);
  }
}
