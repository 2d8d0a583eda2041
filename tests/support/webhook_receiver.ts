import { Buffer } from "node:buffer";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { Webhook } from "standardwebhooks";

/** A request that a receiver got. */
export interface ReceivedRequest {
  readonly path: string;
  readonly headers: Headers;
  readonly text: string;
  // deno-lint-ignore no-explicit-any -- a test says what it expects of it
  readonly body: any;
}

/** An answer of a receiver. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The response does not end before. */
  readonly until?: Promise<void>;
}

/** Answers a request; the number of requests before it counts from 0. */
export type Respond = (
  request: ReceivedRequest,
  count: number,
) => Reply | Promise<Reply>;

/** A receiver of webhooks on loopback. */
export interface WebhookReceiver extends AsyncDisposable {
  readonly url: string;
  readonly received: readonly ReceivedRequest[];
  /** Most requests that were answered at the same time. */
  readonly mostAtOnce: () => number;
  /** Resolves when there are at least `count` requests. */
  waitFor(count: number): Promise<readonly ReceivedRequest[]>;
}

/** Settings by which webhooks may be sent to a receiver of a test. */
export const RECEIVER_SETTINGS = {
  webhook_allow_http: true,
  webhook_allowed_networks: ["127.0.0.1"],
};

/** Starts a receiver, which answers 204 if it is not said. */
export async function startReceiver(
  respond: Respond = () => ({ status: 204 }),
): Promise<WebhookReceiver> {
  const received: ReceivedRequest[] = [];
  const waiting = new Set<() => void>();
  let atOnce = 0;
  let most = 0;
  const server = createServer((request, response) => {
    void answer().catch(() => response.destroy());
    async function answer() {
      const got = await read(request);
      const count = received.length;
      received.push(got);
      most = Math.max(most, ++atOnce);
      for (const wake of waiting) wake();
      try {
        const { status, headers = {}, body = "", until } = await respond(
          got,
          count,
        );
        response.writeHead(status, headers);
        if (body !== "") response.write(body);
        await until;
      } finally {
        atOnce--;
      }
      response.end();
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new TypeError("The receiver has no port");
  }
  return {
    url: `http://127.0.0.1:${address.port}/hook`,
    received,
    mostAtOnce: () => most,
    async waitFor(count) {
      while (received.length < count) {
        const { promise, resolve } = Promise.withResolvers<void>();
        waiting.add(resolve);
        await promise;
        waiting.delete(resolve);
      }
      return received;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function read(request: IncomingMessage): Promise<ReceivedRequest> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    headers.set(name, String(value));
  }
  return {
    path: request.url ?? "",
    headers,
    text,
    body: JSON.parse(text),
  };
}

/** Verifies the signature of a request with the library; throws if none is right. */
export function verifySignature(
  { text, headers }: ReceivedRequest,
  secret: string,
): void {
  new Webhook(secret).verify(text, Object.fromEntries(headers));
}
