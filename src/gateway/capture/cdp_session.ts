/**
 * The server as a client of a browser: commands to one target over a separate connection.
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

/** Maximum length of a message from a browser, in bytes. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

/** A command and the schema of its result. */
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

/** A CDP connection to one target of a browser. Disposal closes it. */
export class CdpSession implements Disposable {
  readonly #socket: WebSocket;
  readonly #stream: Duplex;
  readonly #signal: AbortSignal;
  readonly #opened = Promise.withResolvers<void>();
  readonly #pending = new Map<number, PromiseWithResolvers<CdpMessage>>();
  readonly #onAbort = () => this.#end(toAbortProblem(this.#signal));
  #lastId = 0;
  #failure: unknown;

  /** @param url URL of the target at the browser that `stream` is connected to. */
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
      .on(
        "close",
        () => this.#end(browserUnreachable("it has closed the connection")),
      );
    signal.addEventListener("abort", this.#onAbort);
  }

  /**
   * Connects to a target. When `signal` is aborted, the connection closes and all pending calls reject with the reason.
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
    const session = new CdpSession(url, stream, signal);
    if (signal.aborted) session.#onAbort();
    await session.#opened.promise;
    return session;
  }

  /**
   * Sends a command and returns its result.
   *
   * @throws {GridError} `browser_refused` - with the browser's message; `worker_unreachable` - it has closed the
   *   connection.
   */
  async call<T>({ method, params = {}, result }: CdpCommand<T>): Promise<T> {
    if (this.#failure !== undefined) throw this.#failure;
    const id = ++this.#lastId;
    const response = Promise.withResolvers<CdpMessage>();
    this.#pending.set(id, response);
    this.#socket.send(JSON.stringify({ id, method, params }));
    const { error, result: value } = await response.promise;
    if (error) throw browserRefused(`says "${error.message}" to ${method}`);
    const parsed = result.safeParse(value);
    if (parsed.success) return parsed.data;
    throw browserUnreachable(parsed.error);
  }

  [Symbol.dispose](): void {
    this.#end(new Error("The CDP session is closed"));
  }

  #receive(text: string): void {
    const message = parseMessage(text);
    if (!message) {
      return this.#end(browserUnreachable("it has sent an invalid message"));
    }
    const { id = 0 } = message;
    this.#pending.get(id)?.resolve(message);
    this.#pending.delete(id);
  }

  #end(failure: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = failure;
    this.#signal.removeEventListener("abort", this.#onAbort);
    this.#socket.terminate();
    this.#stream.destroy();
    this.#opened.reject(failure);
    for (const { reject } of this.#pending.values()) reject(failure);
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
    ? browserRefused(
      `responds with more than ${MAX_MESSAGE_BYTES} bytes`,
      "a smaller page",
    )
    : browserUnreachable(error);
}

function browserRefused(
  reason: string,
  expected = "a command that it supports",
): GridError {
  return new GridError(
    gatewayProblems.browser_refused,
    `Cannot capture the page: the browser ${reason}, expected ${expected}`,
  );
}
