import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import { text } from "node:stream/consumers";
import { systemClock } from "../../src/core/clock.ts";
import { type HranaPipeline, pipelineSchema } from "./hrana_protocol.ts";
import { HranaStreams } from "./hrana_streams.ts";

/** A running server. Its data outlive `stop()`. */
export interface HranaServer extends AsyncDisposable {
  /** What `openDatabase()` takes. */
  readonly url: string;
  /** SQL of each HTTP request so far, one list a request: their number is that of the round trips. */
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

/** How a server that fails answers. */
export type FailingAnswer = (asked: Asked) => Response | Promise<Response>;

/** What a request asks for. */
export interface Asked {
  /** Does it, and answers. */
  work(): Response;
  /** Answers that the database could not do it. */
  refusal(code?: string): Response;
}

/** What a server is like. */
export interface HranaServerOptions {
  /** File of the database. @default a file of its own, removed with the server */
  readonly path?: string;
  /** Asked of every request in `Authorization: Bearer`. */
  readonly authToken?: string;
}

/** One HTTP request as it came. */
interface Incoming {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: string;
}

const ENDPOINTS: ReadonlySet<string> = new Set([
  "/v2/pipeline",
  "/v3/pipeline",
]);

/** How a client finds out which versions a server speaks. */
const VERSIONS: ReadonlySet<string> = new Set(["/v2", "/v3"]);

/** Starts a libSQL server on this machine, over a SQLite file. */
export async function startHranaServer(
  { path, authToken }: HranaServerOptions = {},
): Promise<HranaServer> {
  await using stack = new AsyncDisposableStack();
  const folder = path ? undefined : await Deno.makeTempDir();
  if (folder) stack.defer(() => Deno.remove(folder, { recursive: true }));
  const streams = stack.use(new HranaStreams(path ?? `${folder}/hrana.db`));
  const requests: (readonly string[])[] = [];
  let failing: FailingAnswer | undefined;
  let batons = 0;
  let delayMs = 0;
  // Not Deno.serve(): it takes no Response of the class that the grid's HTTP library puts in place of Deno's.
  const server = createServer((request, response) =>
    void answer(request, response).catch(() => response.destroy())
  );
  async function answer(
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const body = await text(request);
    await pause();
    const answered = await respond({
      method: request.method ?? "",
      path: request.url ?? "",
      authorization: request.headers.authorization,
      body,
    });
    await pause();
    response.writeHead(answered.status, Object.fromEntries(answered.headers));
    for await (const chunk of answered.body ?? []) response.write(chunk);
    response.end();
  }
  function respond(
    { method, path, authorization, body }: Incoming,
  ): Response | Promise<Response> {
    if (method === "GET" && VERSIONS.has(path)) return new Response();
    if (authToken !== undefined && authorization !== `Bearer ${authToken}`) {
      return refuse(401, "Unauthorized");
    }
    if (method !== "POST" || !ENDPOINTS.has(path)) {
      return refuse(404, "Not found");
    }
    const pipeline = pipelineSchema.safeParse(parsed(body));
    if (!pipeline.success) return refuse(400, pipeline.error.message);
    return perform(pipeline.data);
  }
  function perform(
    { baton, requests: asked }: HranaPipeline,
  ): Response | Promise<Response> {
    const sql: string[] = [];
    requests.push(sql);
    const error = (code?: string) => ({
      type: "error",
      error: { message: "refused", code },
    });
    // Nobody else is served meanwhile: a batch is atomic also without a transaction.
    function work(): Response {
      const stream = streams.take(baton);
      if (!stream) return refuse(400, "The baton is not known");
      const results = asked.map((each) => {
        sql.push(...stream.sqlOf(each));
        return stream.perform(each);
      });
      const next = streams.give(stream);
      if (next) batons++;
      return Response.json({ baton: next, base_url: null, results });
    }
    const refusal = (code?: string) =>
      Response.json({
        baton: null,
        base_url: null,
        results: asked.map(() => error(code)),
      });
    return failing?.({ work, refusal }) ?? work();
  }
  async function pause(): Promise<void> {
    if (delayMs > 0) await systemClock.sleep(delayMs / 2);
  }
  async function listen(port: number): Promise<number> {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    return typeof address === "object" && address ? address.port : port;
  }
  async function stop(): Promise<void> {
    if (!server.listening) return;
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  }
  const port = await listen(0);
  stack.defer(stop);
  const owned = stack.move();
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    get batons() {
      return batons;
    },
    get openStreams() {
      return streams.open;
    },
    delay: (ms) => void (delayMs = ms),
    fail: (answer) => failing = answer,
    stop,
    start: async () => void await listen(port),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function refuse(status: number, message: string): Response {
  return Response.json({ message }, { status });
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
