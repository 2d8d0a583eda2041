import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { text } from "node:stream/consumers";
import { systemClock } from "../../src/async/clock.ts";
import { type FailingAnswer, HranaEndpoint } from "./hrana_endpoint.ts";
import { HranaStreams } from "./hrana_streams.ts";

/** A running server. Its data outlive `stop()`. */
export interface HranaServer extends AsyncDisposable {
  /** What `openDatabase()` takes. */
  readonly url: string;
  /** SQL of each HTTP request so far, one list a request; its length is the number of round trips. */
  readonly requests: readonly (readonly string[])[];
  /** HTTP requests so far that have left a stream open: parts of an interactive transaction. */
  readonly batons: number;
  /** Streams that are open now. */
  readonly openStreams: number;
  /** Lets every request take `ms` longer, half of it on the way there and half on the way back. */
  delay(ms: number): void;
  /** Answers requests in place of the database, until it is taken back with `undefined`. */
  fail(answer: FailingAnswer | undefined): void;
  /** Breaks off what is under way, and refuses connections from now on. */
  stop(): Promise<void>;
  /** Listens again, on the same port. */
  start(): Promise<void>;
}

/** Options of a server. */
export interface HranaServerOptions {
  /** File of the database. @default a file of its own, removed with the server */
  readonly path?: string;
  /** Asked of every request in `Authorization: Bearer`. */
  readonly authToken?: string;
}

/** Starts a libSQL server on this machine, over a SQLite file. Like libSQL's own it holds foreign keys. */
export async function startHranaServer(
  { path, authToken }: HranaServerOptions = {},
): Promise<HranaServer> {
  await using stack = new AsyncDisposableStack();
  const folder = path ? undefined : await Deno.makeTempDir();
  if (folder) stack.defer(() => Deno.remove(folder, { recursive: true }));
  const streams = stack.use(new HranaStreams(path ?? `${folder}/hrana.db`));
  const endpoint = new HranaEndpoint(streams, authToken);
  let delayMs = 0;
  // Not Deno.serve(): it takes no Response of the class that the grid's HTTP library puts in place of Deno's.
  const server = createServer((request, response) =>
    void serve(endpoint, { request, response, delayMs })
      .catch(() => response.destroy())
  );
  const port = await listen(server, 0);
  stack.defer(() => stop(server));
  const owned = stack.move();
  return {
    url: `http://127.0.0.1:${port}`,
    requests: endpoint.requests,
    get batons() {
      return endpoint.batons;
    },
    get openStreams() {
      return streams.open;
    },
    delay: (ms) => void (delayMs = ms),
    fail: (answer) => void (endpoint.failing = answer),
    stop: () => stop(server),
    start: async () => void await listen(server, port),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function serve(
  endpoint: HranaEndpoint,
  { request, response, delayMs }: {
    readonly request: IncomingMessage;
    readonly response: ServerResponse;
    readonly delayMs: number;
  },
): Promise<void> {
  const body = await text(request);
  if (delayMs > 0) await systemClock.sleep(delayMs / 2);
  const answer = await endpoint.answer({
    method: request.method ?? "",
    path: request.url ?? "",
    authorization: request.headers.authorization,
    body,
  });
  if (delayMs > 0) await systemClock.sleep(delayMs / 2);
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  for await (const chunk of answer.body ?? []) response.write(chunk);
  response.end();
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return typeof address === "object" && address ? address.port : port;
}

async function stop(server: Server): Promise<void> {
  if (!server.listening) return;
  server.close();
  server.closeAllConnections();
  await once(server, "close");
}
