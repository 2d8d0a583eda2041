import type { Process } from "./process.ts";

/** Handler of the requests. */
export interface Server {
  readonly name: string;
  /** The process that listens; undefined: nothing does. */
  readonly process: Process | undefined;
  handle(request: Request): Promise<Response>;
}

/** A request and its answer. */
export interface Exchange {
  readonly from: Process;
  readonly method: string;
  readonly path: string;
  readonly body: string | undefined;
}

/** Observer of every request that arrives at a server, and of every response that leaves it. */
export interface Listener {
  onRequest(exchange: Exchange, server: Server): void;
  onAnswer(exchange: Exchange, server: Server, answer: Answer): void;
}

/** An answer as it travels. */
export interface Answer {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly text: string;
}

/** A request on its way. */
export interface Message extends Exchange {
  readonly url: string;
  readonly headers: Headers;
}

/** The request as its server gets it. */
export function toRequest(sent: Message, signal: AbortSignal): Request {
  const { method, headers, body } = sent;
  if (body !== undefined) {
    headers.set(
      "content-length",
      String(new TextEncoder().encode(body).length),
    );
  }
  return new Request(sent.url, {
    method,
    headers,
    signal,
    ...(body === undefined ? {} : { body }),
  });
}

/** The response as its client gets it. */
export function toResponse({ status, headers, text }: Answer): Response {
  const hasBody = status !== 204 && status !== 304;
  return new Response(hasBody ? text : null, {
    status,
    headers: headers.map(([name, value]): [string, string] => [name, value]),
  });
}
