import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import { DatabaseSync } from "node:sqlite";
import { json } from "node:stream/consumers";
import { z } from "@hono/zod-openapi";
import { perform, requestSchema, sqlOf } from "./hrana_database.ts";

/** A running server. Its data outlive `stop()`. */
export interface HranaServer extends AsyncDisposable {
  /** What `openDatabase()` takes. */
  readonly url: string;
  /** SQL of each HTTP request so far, one list a request. */
  readonly requests: readonly (readonly string[])[];
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

/** Starts a libSQL server on this machine, over a database in memory. */
export async function startHranaServer(): Promise<HranaServer> {
  const db = new DatabaseSync(":memory:", {
    enableForeignKeyConstraints: true,
  });
  const requests: string[][] = [];
  let failing: FailingAnswer | undefined;
  // Not Deno.serve(): it takes no Response of the class that the grid's HTTP library puts in place of Deno's.
  const server = createServer((request, response) =>
    void answer(request, response)
  );
  async function answer(
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const asked = read(await json(request));
    const { status, headers, body } = await (failing?.(asked) ?? asked.work());
    response.writeHead(status, Object.fromEntries(headers));
    for await (const chunk of body ?? []) response.write(chunk);
    response.end();
  }
  function read(body: unknown): Asked {
    const pipeline = z.object({ requests: z.array(requestSchema) }).parse(body)
      .requests;
    const sqls = new Map(
      pipeline.flatMap((each) =>
        each.type === "store_sql" ? [[each.sql_id, each.sql]] : []
      ),
    );
    requests.push(pipeline.flatMap((each) => sqlOf(each, sqls)));
    const respond = (results: readonly unknown[]) =>
      Response.json({ baton: null, base_url: null, results });
    const error = (code?: string) => ({
      type: "error",
      error: { message: "refused", code },
    });
    return {
      work: () => respond(pipeline.map((each) => perform(db, each, sqls))),
      refusal: (code) => respond(pipeline.map(() => error(code))),
    };
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
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    fail: (answer) => failing = answer,
    stop,
    start: async () => void await listen(port),
    async [Symbol.asyncDispose]() {
      await stop();
      db.close();
    },
  };
}
