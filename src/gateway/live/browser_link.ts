/**
 * Connection of the live view to a whole browser, with flat sessions for its pages.
 *
 * It never sends what a client or page would notice: no device metrics, focus, download behaviour, activated target or
 * picture beyond the viewport.
 *
 * @module
 * @see {@link https://chromedevtools.github.io/devtools-protocol/ Chrome DevTools Protocol}
 */
import { z } from "@hono/zod-openapi";
import type { Duplex } from "node:stream";
import { WebSocket } from "ws";
import { systemClock } from "../../async/clock.ts";
import { deadline } from "../../async/deadline.ts";
import type {
  AwaitedCommand,
  BrowserCommand,
  BrowserCommands,
  BrowserEvent,
} from "./browser_commands.ts";
import {
  browserUnreachable,
  createStreamAgent,
  type Dialer,
} from "../dialer.ts";

/** Maximum length of a message from a browser: a large picture in base64. */
const MAX_MESSAGE_BYTES = 32 * 1024 * 1024;

/** Bytes that wait for a browser that does not read, after which further input is dropped. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

/** Timeout of the connection and of a command whose result is awaited. */
const ANSWER_MS = 5_000;

/** Maximum number of commands whose results are awaited. */
const MAX_PENDING = 200;

const messageSchema = z.object({
  id: z.int().optional(),
  method: z.string().optional(),
  params: z.unknown().optional(),
  sessionId: z.string().optional(),
  result: z.unknown().optional(),
  error: z.object({ message: z.string() }).optional(),
});

type Message = z.infer<typeof messageSchema>;

/** A connection to a browser. Disposal closes it. */
export class BrowserLink implements BrowserCommands, Disposable {
  /** Resolves when the connection has ended, for any reason. */
  readonly closed: Promise<void>;
  readonly #socket: WebSocket;
  readonly #stream: Duplex;
  readonly #onEvent: (event: BrowserEvent) => void;
  readonly #opened = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  readonly #pending = new Map<number, PromiseWithResolvers<Message>>();
  #lastId = 0;
  #isOver = false;

  private constructor(
    dialer: Dialer,
    stream: Duplex,
    onEvent: (event: BrowserEvent) => void,
  ) {
    this.closed = this.#ended.promise;
    this.#stream = stream;
    this.#onEvent = onEvent;
    // The unpredictable path identifies the browser: another one at the same address rejects it.
    this.#socket = new WebSocket(dialer.url, {
      agent: createStreamAgent(stream),
      perMessageDeflate: false,
      maxPayload: MAX_MESSAGE_BYTES,
    });
    this.#socket
      .on("open", () => this.#opened.resolve())
      .on("message", (data) => this.#receive(String(data)))
      .on("error", (error) => this.#end(error))
      .on("close", () => this.#end(new Error("closed by the browser")));
  }

  /**
   * Connects.
   *
   * @throws {GridError} `worker_unreachable` - no connection in time, or `signal` is aborted before.
   */
  static async open(
    dialer: Dialer,
    { onEvent, signal }: {
      /** Must not throw. */
      readonly onEvent: (event: BrowserEvent) => void;
      readonly signal: AbortSignal;
    },
  ): Promise<BrowserLink> {
    const stream = await dialer.dial(signal);
    const link = new BrowserLink(dialer, stream, onEvent);
    using timeout = deadline(systemClock, ANSWER_MS, signal);
    const onAbort = () => link.#end(timeout.signal.reason);
    timeout.signal.addEventListener("abort", onAbort);
    if (timeout.signal.aborted) onAbort();
    try {
      await link.#opened.promise;
      return link;
    } catch (cause) {
      throw browserUnreachable(cause);
    } finally {
      timeout.signal.removeEventListener("abort", onAbort);
    }
  }

  post(command: BrowserCommand): void {
    this.#send(command);
  }

  async call<T>({ result, ...command }: AwaitedCommand<T>): Promise<T> {
    if (this.#isOver || this.#pending.size >= MAX_PENDING) {
      throw new Error(`${command.method} cannot be sent`);
    }
    const response = Promise.withResolvers<Message>();
    const id = this.#send(command);
    this.#pending.set(id, response);
    using timeout = deadline(systemClock, ANSWER_MS);
    const onAbort = () =>
      response.reject(new Error(`${command.method} is not answered`));
    timeout.signal.addEventListener("abort", onAbort, { once: true });
    try {
      const { error, result: value } = await response.promise;
      if (error) throw new Error(`${command.method}: ${error.message}`);
      return result.parse(value);
    } finally {
      timeout.signal.removeEventListener("abort", onAbort);
      this.#pending.delete(id);
    }
  }

  [Symbol.dispose](): void {
    this.#end(new Error("the live view is closed"));
  }

  /** Returns the id of the command. */
  #send({ method, params = {}, sessionId }: BrowserCommand): number {
    const id = ++this.#lastId;
    const isFull = this.#socket.bufferedAmount > MAX_WAITING_BYTES;
    if (this.#isOver || isFull) return id;
    this.#socket.send(
      JSON.stringify({ id, method, params, ...sessionId && { sessionId } }),
    );
    return id;
  }

  #receive(text: string): void {
    const message = parseMessage(text);
    if (!message) return this.#end(new Error("an invalid message"));
    const { id, method, params, sessionId } = message;
    if (id !== undefined) this.#pending.get(id)?.resolve(message);
    else if (method !== undefined) this.#onEvent({ method, params, sessionId });
  }

  #end(reason: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#socket.terminate();
    this.#stream.destroy();
    this.#opened.promise.catch(() => {});
    this.#opened.reject(reason);
    for (const { reject } of this.#pending.values()) reject(reason);
    this.#ended.resolve();
  }
}

function parseMessage(text: string): Message | undefined {
  try {
    return messageSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
