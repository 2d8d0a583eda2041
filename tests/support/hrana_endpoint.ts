import { type HranaPipeline, pipelineSchema } from "./hrana_protocol.ts";
import type { HranaStreams } from "./hrana_streams.ts";

/** Response of a failing server. */
export type FailingAnswer = (asked: Asked) => Response | Promise<Response>;

/** A parsed request. */
export interface Asked {
  /** Does it, and answers. */
  work(): Response;
  /** Answers that the database could not do it. */
  refusal(code?: string): Response;
}

/** One HTTP request as it came. */
export interface Incoming {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: string;
}

const PIPELINES: ReadonlySet<string> = new Set([
  "/v2/pipeline",
  "/v3/pipeline",
]);

/** Path by which a client detects the server's protocol versions. */
const VERSIONS: ReadonlySet<string> = new Set(["/v2", "/v3"]);

/** Answers requests of the protocol over HTTP, and remembers them. */
export class HranaEndpoint {
  readonly #streams: HranaStreams;
  readonly #authToken: string | undefined;
  /** SQL of each request that was let in. */
  readonly requests: (readonly string[])[] = [];
  /** Requests that have left a stream open. */
  batons = 0;
  /** Answers in place of the database. */
  failing: FailingAnswer | undefined;

  constructor(streams: HranaStreams, authToken: string | undefined) {
    this.#streams = streams;
    this.#authToken = authToken;
  }

  answer(incoming: Incoming): Response | Promise<Response> {
    const { method, path, authorization, body } = incoming;
    if (method === "GET" && VERSIONS.has(path)) return new Response();
    const token = this.#authToken;
    if (token !== undefined && authorization !== `Bearer ${token}`) {
      return refuse(401, "Unauthorized");
    }
    if (method !== "POST" || !PIPELINES.has(path)) {
      return refuse(404, "Not found");
    }
    const pipeline = pipelineSchema.safeParse(parsed(body));
    if (!pipeline.success) return refuse(400, pipeline.error.message);
    const asked = this.#asked(pipeline.data);
    return this.failing?.(asked) ?? asked.work();
  }

  #asked({ baton, requests }: HranaPipeline): Asked {
    const sql: string[] = [];
    this.requests.push(sql);
    return {
      // No other request is served at the same time: a batch is atomic also without a transaction.
      work: () => {
        const stream = this.#streams.take(baton);
        if (!stream) return refuse(400, "The baton is not known");
        const results = requests.map((each) => {
          sql.push(...stream.listSql(each));
          return stream.perform(each);
        });
        const next = this.#streams.give(stream);
        if (next) this.batons++;
        return respond(next, results);
      },
      refusal: (code) => {
        const error = { message: "refused", code };
        return respond(null, requests.map(() => ({ type: "error", error })));
      },
    };
  }
}

function respond(baton: string | null, results: readonly unknown[]): Response {
  return Response.json({ baton, base_url: null, results });
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
