/**
 * The server as a client of a browser: commands to one of its targets, over a stream of their own.
 *
 * @module
 * @see {@link https://chromedevtools.github.io/devtools-protocol/ Chrome DevTools Protocol}
 */
import { z } from "@hono/zod-openapi";
import type { Duplex } from "node:stream";
import { WebSocket } from "ws";
import { GridError } from "../../core/errors.ts";
import { checkTargetId, targetNotFound } from "../devtools/target_id.ts";
import { agentOver, browserUnreachable, type Way } from "../dialer.ts";
import { givenUp } from "./extendable_timeout.ts";
import { gatewayProblems } from "../problems.ts";

/** Longest message of a browser that is read. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

/** A command, and what of its result is read. */
export interface Command<T> {
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result: z.ZodType<T>;
}

const messageSchema = z.object({
  id: z.int().optional(),
  result: z.unknown().optional(),
  error: z.object({ message: z.string() }).optional(),
});

type Message = z.infer<typeof messageSchema>;

/** A conversation with one target. Disposal ends its stream. */
export class Conversation implements Disposable {
  readonly #socket: WebSocket;
  readonly #stream: Duplex;
  readonly #signal: AbortSignal;
  readonly #opened = Promise.withResolvers<void>();
  readonly #waiting = new Map<number, PromiseWithResolvers<Message>>();
  readonly #onAbort = () => this.#end(givenUp(this.#signal));
  #lastId = 0;
  #fault: unknown;

  /** @param url Of the target, to which `stream` leads. */
  private constructor(url: URL, stream: Duplex, signal: AbortSignal) {
    this.#stream = stream;
    this.#signal = signal;
    this.#socket = new WebSocket(url, {
      agent: agentOver(stream),
      perMessageDeflate: false,
      maxPayload: MAX_MESSAGE_BYTES,
    });
    this.#socket
      .on("open", () => this.#opened.resolve())
      .on("message", (data) => this.#receive(String(data)))
      .on("unexpected-response", () => this.#end(targetNotFound("it is gone")))
      .on("error", (error) => this.#end(faultOf(error)))
      .on("close", () => this.#end(browserUnreachable("it has hung up")));
    signal.addEventListener("abort", this.#onAbort);
  }

  /**
   * Opens one. It ends, and all that is called rejects with the reason, when `signal` is aborted.
   *
   * @throws {GridError} `target_not_found`, `worker_unreachable`.
   */
  static async open(
    way: Way,
    targetId: string,
    signal: AbortSignal,
  ): Promise<Conversation> {
    const path = `/devtools/page/${checkTargetId(targetId)}`;
    const stream = await way.connect(signal);
    const url = new URL(path, way.url);
    const conversation = new Conversation(url, stream, signal);
    if (signal.aborted) conversation.#onAbort();
    await conversation.#opened.promise;
    return conversation;
  }

  /**
   * What a command results in.
   *
   * @throws {GridError} `browser_refused` — with the browser's words; `worker_unreachable` — it has hung up.
   */
  async call<T>({ method, params = {}, result }: Command<T>): Promise<T> {
    if (this.#fault !== undefined) throw this.#fault;
    const id = ++this.#lastId;
    const answer = Promise.withResolvers<Message>();
    this.#waiting.set(id, answer);
    this.#socket.send(JSON.stringify({ id, method, params }));
    const { error, result: given } = await answer.promise;
    if (error) throw refused(`says "${error.message}" to ${method}`);
    const read = result.safeParse(given);
    if (read.success) return read.data;
    throw browserUnreachable(read.error);
  }

  [Symbol.dispose](): void {
    this.#end(new Error("The conversation has ended"));
  }

  #receive(text: string): void {
    const message = messageOf(text);
    if (!message) return this.#end(browserUnreachable("it talks nonsense"));
    const { id = 0 } = message;
    this.#waiting.get(id)?.resolve(message);
    this.#waiting.delete(id);
  }

  #end(fault: unknown): void {
    if (this.#fault !== undefined) return;
    this.#fault = fault;
    this.#signal.removeEventListener("abort", this.#onAbort);
    this.#socket.terminate();
    this.#stream.destroy();
    this.#opened.reject(fault);
    for (const { reject } of this.#waiting.values()) reject(fault);
    this.#waiting.clear();
  }
}

function messageOf(text: string): Message | undefined {
  try {
    return messageSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function faultOf(error: Error): GridError {
  const isTooLong = "code" in error &&
    error.code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH";
  return isTooLong
    ? refused(`answers with more than ${MAX_MESSAGE_BYTES} bytes`)
    : browserUnreachable(error);
}

function refused(does: string): GridError {
  return new GridError(
    gatewayProblems.browser_refused,
    `Cannot look at the page: the browser ${does}, expected what it can do`,
  );
}
