import {
  type Answer,
  type Listener,
  type Message,
  type Server,
  toRequest,
  toResponse,
} from "./message.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";

/** Current behaviour of the network; faults change it. */
export interface Weather {
  /** Longest usual way of a message, in milliseconds. */
  latencyMs: number;
  /** Share of messages that are lost: their connection hangs. */
  loss: number;
  /** Share of requests that arrive twice. */
  duplicates: number;
}

interface Sent extends Message {
  /** Settles the client's side, once. */
  readonly finish: (settle: () => void) => void;
  readonly resolve: (response: Response) => void;
  readonly reject: (error: unknown) => void;
  isOver: boolean;
}

/** A request that has arrived and is not answered yet. */
interface Open {
  readonly sent: Sent;
  readonly server: Server;
  readonly process: Process;
  /** Signals the server that the client no longer waits. */
  readonly hungUp: AbortController;
}

/** A process that nothing reaches. */
interface Cut {
  readonly since: number;
  /** Arrivals that wait until it is reached again. */
  readonly waiting: (() => void)[];
}

/** Time until a cut connection is noticed, if it is. */
const RETRANSMISSION_MS = 2_000;

/**
 * Time after which the balancer sends no more to a server that is cut off, as one with health checks does.
 *
 * Without it a worker could reach a server that is cut off with every heartbeat, one in two: each costs it a timeout of
 * 8 s and a pause. A browser whose worker has the grace of an outage would then stay until lease and grace are over.
 */
const NOTICED_MS = 10_000;

/** A network that delays, loses and repeats messages, and can be cut. */
export class Network {
  readonly weather: Weather = { latencyMs: 30, loss: 0, duplicates: 0 };
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #servers: readonly Server[];
  readonly #listener: Listener;
  /** Processes that nothing reaches, by name. */
  readonly #cut = new Map<string, Cut>();
  /** Moment at which each process was last reached again. */
  readonly #healedAt = new Map<string, number>();
  readonly #open = new Set<Open>();

  constructor(
    { scheduler, random, servers, listener }: {
      readonly scheduler: Scheduler;
      readonly random: Random;
      readonly servers: readonly Server[];
      readonly listener: Listener;
    },
  ) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#servers = servers;
    this.#listener = listener;
  }

  /** Exchanges without a response that were not aborted. */
  get open(): number {
    return this.#open.size;
  }

  /** `fetch` as it works in `from`. */
  createFetch(from: Process): typeof fetch {
    return (input, init = {}) =>
      new Promise((resolve, reject) => {
        const { signal } = init;
        if (signal?.aborted) return reject(signal.reason);
        const url = new URL(String(input));
        const sent: Sent = {
          from,
          url: url.href,
          method: init.method ?? "GET",
          path: `${url.pathname}${url.search}`,
          body: typeof init.body === "string" ? init.body : undefined,
          headers: new Headers(init.headers),
          isOver: false,
          finish(settle) {
            if (sent.isOver) return;
            sent.isOver = true;
            signal?.removeEventListener("abort", onAbort);
            settle();
          },
          resolve,
          reject,
        };
        const onAbort = () => {
          sent.finish(() => reject(signal?.reason));
          this.#hangUp((open) => open.sent === sent);
        };
        signal?.addEventListener("abort", onAbort, { once: true });
        this.#send(sent);
      });
  }

  cut(name: string): void {
    if (this.#cut.has(name)) return;
    this.#cut.set(name, { since: this.#scheduler.now, waiting: [] });
  }

  heal(name: string): void {
    const { waiting = [] } = this.#cut.get(name) ?? {};
    this.#cut.delete(name);
    this.#healedAt.set(name, this.#scheduler.now);
    for (const arrive of waiting) {
      this.#scheduler.after(this.#random.between(0, RETRANSMISSION_MS), arrive);
    }
  }

  /** Reports whether messages arrive quickly and reliably. */
  get isCalm(): boolean {
    return this.weather.loss === 0 && this.weather.latencyMs < 1_000;
  }

  isCut(name: string): boolean {
    return this.#cut.has(name);
  }

  /** Since when a process can be reached; Infinity: it is cut off. */
  reachedSince(name: string): number {
    return this.isCut(name) ? Infinity : this.#healedAt.get(name) ?? 0;
  }

  /** Resets the connections of a killed server. */
  reset(server: Server): void {
    for (const each of this.#open) {
      if (each.server !== server) continue;
      this.#open.delete(each);
      this.#refuse(each.sent, "connection reset by peer");
    }
  }

  /** Closes the connections of a killed client: servers notice, unless they are cut off. */
  hangUp(process: Process): void {
    this.#hangUp(({ sent }) => sent.from === process);
  }

  #send(sent: Sent): void {
    const { loss, duplicates } = this.weather;
    if (this.#random.chance(loss)) return;
    const server = this.#serverFor();
    const copies = this.#random.chance(duplicates) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      this.#travel(sent.from.name, () => this.#arrive(sent, server));
    }
  }

  /** The balancer before the servers: it mostly knows which of them are there. */
  #serverFor(): Server | undefined {
    const { now } = this.#scheduler;
    const up = this.#servers.filter(({ name, process }) => {
      const { since = now } = this.#cut.get(name) ?? {};
      return process !== undefined && now - since < NOTICED_MS;
    });
    const isKnown = up.length > 0 && this.#random.chance(0.95);
    return this.#random.pick(isKnown ? up : this.#servers);
  }

  #arrive(sent: Sent, server: Server | undefined): void {
    if (!server?.process) return this.#unavailable(sent);
    if (this.isCut(server.name)) return;
    const { process } = server;
    const hungUp = new AbortController();
    const open = { sent, server, process, hungUp };
    this.#open.add(open);
    if (sent.isOver) this.#hangUp((each) => each === open);
    process.deliver(() => {
      this.#listener.onRequest(sent, server);
      void server.handle(toRequest(sent, hungUp.signal)).then(
        async (response) => {
          const answer = {
            status: response.status,
            headers: [...response.headers],
            text: await response.text(),
          };
          this.#listener.onAnswer(sent, server, answer);
          this.#open.delete(open);
          if (this.#random.chance(this.weather.loss)) return;
          this.#travel(server.name, () => this.#return(sent, answer));
        },
      );
    });
  }

  #return(sent: Sent, answer: Answer): void {
    this.#travel(
      sent.from.name,
      () =>
        sent.from.deliver(() =>
          sent.finish(() => sent.resolve(toResponse(answer)))
        ),
      0,
    );
  }

  #hangUp(which: (open: Open) => boolean): void {
    for (const open of this.#open) {
      if (!which(open)) continue;
      this.#travel(
        open.sent.from.name,
        () => open.process.deliver(() => open.hungUp.abort()),
      );
    }
  }

  /** No server is there: its machine refuses, or a proxy before it says so. */
  #unavailable(sent: Sent): void {
    if (this.#random.chance(0.5)) return this.#refuse(sent, REFUSED);
    const text = "<html>Bad Gateway</html>";
    this.#return(sent, {
      status: 502,
      headers: [["content-type", "text/html"]],
      text,
    });
  }

  #refuse(sent: Sent, why: string): void {
    this.#travel(
      sent.from.name,
      () =>
        sent.from.deliver(() =>
          sent.finish(() =>
            sent.reject(
              new TypeError(
                `error sending request for url (${sent.url}): ${why}`,
              ),
            )
          )
        ),
    );
  }

  /** Brings a message on its way; past a cut it is lost, or comes when the cut is over. */
  #travel(
    name: string,
    arrive: () => void,
    delayMs = this.#random.between(1, this.weather.latencyMs),
  ): void {
    this.#scheduler.after(delayMs, () => {
      const cut = this.#cut.get(name);
      if (!cut) return arrive();
      if (this.#random.chance(0.5)) cut.waiting.push(arrive);
    });
  }
}

const REFUSED =
  "client error (Connect): tcp connect error: Connection refused (os error 111)";
