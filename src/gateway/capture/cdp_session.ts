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
import {
  browserUnreachable,
  createStreamAgent,
  type Dialer,
} from "../dialer.ts";
import { toAbortProblem } from "./extendable_timeout.ts";
import { gatewayProblems } from "../problems.ts";

/** Longest message of a browser that is read. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

/** A command, and what of its result is read. */
export interface CdpCommand<T> {
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result: z.ZodType<T>;
}

const messageSchema = z.object({
  id: z.int().optional(),
  result: z.unknown().optional(),
  error: z.object({ message: z.string() }).optional(),
});

type CdpMessage = z.infer<typeof messageSchema>;

/** A conversation with one target. Disposal ends its stream. */
export class CdpSession implements Disposable {
  readonly #socket: WebSocket;
  readonly #stream: Duplex;
  readonly #signal: AbortSignal;
  readonly #opened = Promise.withResolvers<void>();
  readonly #pending = new Map<number, PromiseWithResolvers<CdpMessage>>();
  readonly #onAbort = () => this.#end(toAbortProblem(this.#signal));
  #lastId = 0;
  #failure: unknown;

  /** @param url Of the target, to which `stream` leads. */
  private constructor(url: URL, stream: Duplex, signal: AbortSignal) {
    this.#stream = stream;
    this.#signal = signal;
    this.#socket = new WebSocket(url, {
      agent: createStreamAgent(stream),
      perMessageDeflate: false,
      maxPayload: MAX_MESSAGE_BYTES,
    });
    this.#socket
      .on("open", () => this.#opened.resolve())
      .on("message", (data) => this.#receive(String(data)))
      .on("unexpected-response", () => this.#end(targetNotFound("it is gone")))
      .on("error", (error) => this.#end(toProblem(error)))
      .on("close", () => this.#end(browserUnreachable("it has hung up")));
    signal.addEventListener("abort", this.#onAbort);
  }

  /**
   * Opens one. It ends, and all that is called rejects with the reason, when `signal` is aborted.
   *
   * @throws {GridError} `target_not_found`, `worker_unreachable`.
   */
  static async open(
    dialer: Dialer,
    targetId: string,
    signal: AbortSignal,
  ): Promise<CdpSession> {
    const path = `/devtools/page/${checkTargetId(targetId)}`;
    const stream = await dialer.dial(signal);
    const url = new URL(path, dialer.url);
    const conversation = new CdpSession(url, stream, signal);
    if (signal.aborted) conversation.#onAbort();
    await conversation.#opened.promise;
    return conversation;
  }

  /**
   * What a command results in.
   *
   * @throws {GridError} `browser_refused` — with the browser's words; `worker_unreachable` — it has hung up.
   */
  async call<T>({ method, params = {}, result }: CdpCommand<T>): Promise<T> {
    if (this.#failure !== undefined) throw this.#failure;
    const id = ++this.#lastId;
    const answer = Promise.withResolvers<CdpMessage>();
    this.#pending.set(id, answer);
    this.#socket.send(JSON.stringify({ id, method, params }));
    const { error, result: given } = await answer.promise;
    if (error) throw browserRefused(`says "${error.message}" to ${method}`);
    const read = result.safeParse(given);
    if (read.success) return read.data;
    throw browserUnreachable(read.error);
  }

  [Symbol.dispose](): void {
    this.#end(new Error("The conversation has ended"));
  }

  #receive(text: string): void {
    const message = parseMessage(text);
    if (!message) return this.#end(browserUnreachable("it talks nonsense"));
    const { id = 0 } = message;
    this.#pending.get(id)?.resolve(message);
    this.#pending.delete(id);
  }

  #end(fault: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = fault;
    this.#signal.removeEventListener("abort", this.#onAbort);
    this.#socket.terminate();
    this.#stream.destroy();
    this.#opened.reject(fault);
    for (const { reject } of this.#pending.values()) reject(fault);
    this.#pending.clear();
  }
}

function parseMessage(text: string): CdpMessage | undefined {
  try {
    return messageSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function toProblem(error: Error): GridError {
  const isTooLong = "code" in error &&
    error.code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH";
  return isTooLong
    ? browserRefused(`answers with more than ${MAX_MESSAGE_BYTES} bytes`)
    : browserUnreachable(error);
}

function browserRefused(does: string): GridError {
  return new GridError(
    gatewayProblems.browser_refused,
    `Cannot look at the page: the browser ${does}, expected what it can do`,
  );
}
