import { once } from "node:events";
import { z } from "@hono/zod-openapi";

const answerSchema = z.object({
  id: z.int(),
  result: z.record(z.string(), z.unknown()).optional(),
  error: z.object({ message: z.string() }).optional(),
});

/** Longest wait for one answer. */
const ANSWER_MS = 60_000;

type Result = Readonly<Record<string, unknown>>;

/** A client of one browser that asks one thing after the other. Disposal closes its socket, and waits until it is closed. */
export class CdpClient implements AsyncDisposable {
  readonly #socket: WebSocket;
  readonly #closed: Promise<unknown>;
  #last = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    this.#closed = once(socket, "close");
    this.#closed.catch(() => {});
  }

  /** @throws {Error} When there is no way to the browser. */
  static async connect(url: string): Promise<CdpClient> {
    const socket = new WebSocket(url);
    const client = new CdpClient(socket);
    const opened = Promise.withResolvers<void>();
    socket.onopen = () => opened.resolve();
    socket.onerror = (event) =>
      opened.reject(
        new Error(event instanceof ErrorEvent ? event.message : "no socket"),
      );
    await opened.promise;
    // What comes later is a close.
    socket.onerror = null;
    return client;
  }

  /** Asks the browser, or with `sessionId` one of its pages. @throws {Error} When it refuses, or the socket is closed. */
  async call(
    method: string,
    params: Result = {},
    sessionId?: string,
  ): Promise<Result> {
    const id = ++this.#last;
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const onClose = () => reject(new Error(`closed while it did ${method}`));
    const timer = setTimeout(
      () => reject(new Error(`no answer to ${method}`)),
      ANSWER_MS,
    );
    const onMessage = ({ data }: MessageEvent<string>) => {
      const answer = answerSchema.safeParse(JSON.parse(data)).data;
      if (answer?.id !== id) return;
      const { result = {}, error } = answer;
      if (error) reject(new Error(`${method}: ${error.message}`));
      else resolve(result);
    };
    this.#socket.addEventListener("message", onMessage);
    this.#socket.addEventListener("close", onClose);
    try {
      this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#socket.removeEventListener("message", onMessage);
      this.#socket.removeEventListener("close", onClose);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await this.#closed;
  }
}
