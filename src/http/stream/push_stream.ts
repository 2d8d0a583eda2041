/**
 * An endless response, such as one of server-sent events.
 *
 * A part of it is made when the connection has taken the one before, so that a slow client delays nothing else. One that
 * takes nothing for {@linkcode STALL_MS} is dropped.
 *
 * @module
 */
import type { Clock } from "../../async/clock.ts";

/** Time without output after which a heartbeat is sent, so that proxies do not close the connection. */
const HEARTBEAT_MS = 15_000;

/** Time in which a connection must take what was sent; a heartbeat is due before. */
export const STALL_MS = 30_000;

/** Time that a dropped client has to read the reason. */
const REASON_MS = 5_000;

/** Interval at which these times are checked. */
const CHECK_MS = 1_000;

const encoder = new TextEncoder();

/** Texts that a stream sends in addition to its items. */
export interface PushStreamTexts {
  /** Sent at once, because clients wait for the head of the response. */
  readonly first: string;
  readonly heartbeat: string;
  /** The last text of a client that has read nothing for too long. */
  readonly stalled: string;
  /** The last text if the items cannot be read. */
  readonly unreadable: string;
}

/** Parts of a stream. */
export interface PushStreamParts<T> {
  readonly clock: Clock;
  readonly texts: PushStreamTexts;
  /** Reads the items until `signal` is aborted. */
  readonly read: (signal: AbortSignal) => AsyncGenerator<T, void>;
  /** Returns the text of an item. */
  readonly render: (item: T) => string;
  /** Ends the stream in good order. */
  readonly signal: AbortSignal;
  /** Returns the last text of a stream that ends in good order. */
  readonly renderEnd: () => string;
  /** Called when the connection has taken nothing for too long. */
  readonly onStall: (ms: number) => void;
  /** Closes the connection of a client that does not read the last message either. */
  readonly disconnect: () => void;
  /** Called once, when the stream has ended for any reason. */
  readonly onEnd: () => void;
}

/** Creates the body of a response. */
export function createPushStream<T>(
  parts: PushStreamParts<T>,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream(new PushSource(parts), { highWaterMark: 0 });
}

type Controller = ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;

/** A text, and whether it is the last one. */
interface Message {
  readonly text: string;
  readonly isLast: boolean;
}

/** Source of a stream, which is pulled whenever the connection has taken everything. */
class PushSource<T> implements UnderlyingDefaultSource<Uint8Array> {
  readonly #parts: PushStreamParts<T>;
  readonly #items: AsyncGenerator<T, void>;
  /** Aborted to end the reading of items. */
  readonly #reading = new AbortController();
  /** Aborted when the stream has ended. */
  readonly #ended = new AbortController();
  #next: Promise<IteratorResult<T, void>> | undefined;
  #sendHeartbeat = () => {};
  #isPulled = false;
  #isDropped = false;
  /** Time of the last message or pull. */
  #changedAt: number;

  constructor(parts: PushStreamParts<T>) {
    this.#parts = parts;
    this.#changedAt = parts.clock.monotonic();
    this.#items = parts.read(
      AbortSignal.any([parts.signal, this.#reading.signal]),
    );
    void this.#check();
  }

  start(controller: Controller): void {
    send(controller, this.#parts.texts.first);
  }

  async pull(controller: Controller): Promise<void> {
    const { clock, texts } = this.#parts;
    this.#isPulled = true;
    this.#changedAt = clock.monotonic();
    const { text, isLast } = this.#isDropped
      ? { text: texts.stalled, isLast: true }
      : await this.#readMessage();
    if (this.#ended.signal.aborted) return;
    send(controller, text);
    this.#isPulled = false;
    this.#changedAt = clock.monotonic();
    if (!isLast) return;
    controller.close();
    await this.#end();
  }

  async cancel(): Promise<void> {
    await this.#end();
  }

  /** Returns the next items, a heartbeat or the end. */
  async #readMessage(): Promise<Message> {
    const { texts, render, renderEnd, signal } = this.#parts;
    this.#next ??= this.#items.next();
    const heartbeat = Promise.withResolvers<undefined>();
    this.#sendHeartbeat = () => heartbeat.resolve(undefined);
    try {
      const next = await Promise.race([this.#next, heartbeat.promise]);
      if (!next) return { text: texts.heartbeat, isLast: false };
      this.#next = undefined;
      return next.done
        ? { text: renderEnd(), isLast: true }
        : { text: render(next.value), isLast: false };
    } catch {
      const text = signal.aborted ? renderEnd() : texts.unreadable;
      return { text, isLast: true };
    }
  }

  /** Sends heartbeats, and drops a client that does not read, until the end of the stream. */
  async #check(): Promise<void> {
    const { clock, disconnect, onStall } = this.#parts;
    const { signal } = this.#ended;
    while (!signal.aborted) {
      await clock.sleep(CHECK_MS, signal).catch(() => {});
      const ms = clock.monotonic() - this.#changedAt;
      if (signal.aborted) return;
      if (this.#isPulled) {
        if (ms >= HEARTBEAT_MS) this.#sendHeartbeat();
      } else if (this.#isDropped) {
        if (ms < STALL_MS + REASON_MS) continue;
        disconnect();
        return await this.#end();
      } else if (ms >= STALL_MS) {
        this.#isDropped = true;
        onStall(STALL_MS);
        this.#reading.abort();
        await this.#items.return().catch(() => {});
      }
    }
  }

  async #end(): Promise<void> {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort();
    this.#reading.abort();
    // A pending read ends with its signal.
    await this.#items.return().catch(() => {});
    this.#parts.onEnd();
  }
}

/** Sends a text. An empty one sends nothing: the stream would not be pulled again. */
function send(controller: Controller, text: string): void {
  controller.enqueue(encoder.encode(text));
}
