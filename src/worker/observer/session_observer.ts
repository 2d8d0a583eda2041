import type { Buffer } from "node:buffer";
import { z } from "zod";
import type { Clock } from "../../async/clock.ts";
import type { Observation } from "../../client/client.ts";
import { createLogger } from "../../core/log.ts";
import {
  type BrowserAddress,
  BrowserConnection,
} from "./browser_connection.ts";
import { toReceivedName } from "./domains.ts";
import type { CdpEvent } from "./filters.ts";
import { Targets, toTarget } from "./targets.ts";
import { TokenBucket } from "../../async/token_bucket.ts";
import { WebhookMatcher } from "./webhook_matcher.ts";

const log = createLogger("worker", "observer");

/** Pause before the first repeated connection; it doubles up to the maximum. */
const RECONNECT_MS = 1_000;
const MAX_RECONNECT_MS = 30_000;

/** Maximum rate at which events of a session are parsed. Those beyond it count as dropped. */
const PARSE_RATE = { perSecond: 1_000, burst: 2_000 };

/** Matches the start of an event, whose first member is its name. */
const EVENT_HEAD = /^\{"method":"([A-Z]\w*\.\w+)"/;

const messageSchema = z.object({
  id: z.number().optional(),
  method: z.string().optional(),
  params: z.record(z.string(), z.unknown()).default({}),
  sessionId: z.string().optional(),
});

type Message = z.infer<typeof messageSchema>;

/** An event for a webhook. */
export interface MatchedEvent extends CdpEvent {
  readonly webhookId: string;
  /** Number of events that were dropped since the last one. */
  readonly dropped: number;
}

/** Options of a {@linkcode SessionObserver}. */
export interface SessionObserverOptions {
  readonly sessionId: string;
  readonly browser: BrowserAddress;
  readonly clock: Pick<Clock, "monotonic" | "sleep">;
  readonly onEvent: (event: MatchedEvent) => void;
  readonly onDropped: (webhookId: string) => void;
}

/**
 * Observes the browser of one session over a connection of its own, until disposed. A lost connection is opened again.
 *
 * Events that no webhook selects are dropped before they are parsed.
 */
export class SessionObserver implements AsyncDisposable {
  readonly #options: SessionObserverOptions;
  readonly #stop = new AbortController();
  readonly #parsing = new TokenBucket(PARSE_RATE);
  readonly #done: Promise<void>;
  readonly #ready = Promise.withResolvers<void>();
  #matchers: readonly WebhookMatcher[] = [];
  /** Matchers by the received name of an event, with the name that the webhook selects. */
  #byEvent = new Map<string, (readonly [string, WebhookMatcher])[]>();
  #targets: Targets | undefined;

  /** Connects at once. */
  constructor(
    options: SessionObserverOptions,
    observations: readonly Observation[],
  ) {
    this.#options = options;
    this.setObservations(observations);
    this.#done = this.#run();
  }

  /** Resolves when the targets that the browser had at first are observed. It may never. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Replaces the observations. Webhooks that remain keep their rate. */
  setObservations(observations: readonly Observation[]): void {
    const { onDropped } = this.#options;
    this.#matchers = observations.map((each) =>
      new WebhookMatcher(
        each,
        () => onDropped(each.webhook_id),
        this.#matchers.find(({ webhookId }) => webhookId === each.webhook_id),
      )
    );
    this.#byEvent = new Map();
    for (const matcher of this.#matchers) {
      for (const event of matcher.events) {
        const name = toReceivedName(event);
        const others = this.#byEvent.get(name) ?? [];
        this.#byEvent.set(name, [...others, [event, matcher]]);
      }
    }
    this.#targets?.setEvents(new Set(this.#byEvent.keys()));
  }

  /** Hangs up. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { clock, sessionId } = this.#options;
    const { signal } = this.#stop;
    let pauseMs = RECONNECT_MS;
    while (!signal.aborted) {
      const startedAt = clock.monotonic();
      await this.#connect();
      if (signal.aborted) return;
      log.debug("Observer of session {session_id} lost its connection", {
        session_id: sessionId,
      });
      const hasLasted = clock.monotonic() - startedAt > MAX_RECONNECT_MS;
      if (hasLasted) pauseMs = RECONNECT_MS;
      await clock.sleep(pauseMs, signal).catch(() => {});
      pauseMs = Math.min(2 * pauseMs, MAX_RECONNECT_MS);
    }
  }

  /** Observes over one connection. Resolves when it has ended. */
  async #connect(): Promise<void> {
    const { signal } = this.#stop;
    const targets = new Targets({
      send: (command) => connection.send(command),
      events: new Set(this.#byEvent.keys()),
      onReady: () => this.#ready.resolve(),
    });
    using connection: BrowserConnection = new BrowserConnection(
      this.#options.browser,
      {
        onOpen: () => targets.start(),
        isNeeded: (head) => this.#isNeeded(head),
        onMessage: (message) => this.#receive(message, targets),
      },
    );
    this.#targets = targets;
    const hangUp = () => connection[Symbol.dispose]();
    signal.addEventListener("abort", hangUp, { once: true });
    await connection.closed;
    signal.removeEventListener("abort", hangUp);
    this.#targets = undefined;
  }

  #isNeeded(head: Buffer): boolean {
    const method = EVENT_HEAD.exec(head.toString("latin1"))?.[1];
    // Responses to commands have none.
    return method === undefined || method.startsWith("Target.") ||
      this.#mayMatch(method);
  }

  #receive(message: Buffer, targets: Targets): void {
    if (this.#stop.signal.aborted) return;
    try {
      const parsed = messageSchema.parse(JSON.parse(message.toString()));
      this.#handle(parsed, targets);
    } catch (error) {
      log.debug("Message of a browser not understood: {error}", { error });
    }
  }

  /** Reports whether an event must be parsed; if it is beyond a rate, it counts as dropped. */
  #mayMatch(method: string): boolean {
    const selecting = this.#byEvent.get(method) ?? [];
    const now = this.#options.clock.monotonic();
    const isOpen = selecting.some(([, each]) =>
      each.hasFilters || each.hasRoom(now)
    );
    if (isOpen && this.#parsing.take(now)) return true;
    for (const [, matcher] of selecting) matcher.drop();
    return false;
  }

  #handle({ id, method, params, sessionId }: Message, targets: Targets): void {
    if (id !== undefined) targets.receiveResponse(id);
    if (method === undefined) return;
    targets.receive(method, params, sessionId);
    const selecting = this.#byEvent.get(method);
    const attached = targets.find(sessionId, method);
    if (!selecting || !attached) return;
    const target = toTarget(params.targetInfo) ?? attached;
    const now = this.#options.clock.monotonic();
    for (const [name, matcher] of selecting) {
      const event = { method: name, target, params };
      const dropped = matcher.accept(event, now);
      if (dropped === undefined) continue;
      const { webhookId } = matcher;
      this.#options.onEvent({ ...event, webhookId, dropped });
    }
  }
}
