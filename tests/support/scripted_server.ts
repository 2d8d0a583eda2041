import { createClient, type GridClient } from "../../src/client/client.ts";
import { settle } from "./event_loop.ts";

/** A request of the client. */
export interface ScriptedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  // deno-lint-ignore no-explicit-any -- the tests check what was sent
  readonly body: any;
  /** Aborted when the client ends the request. */
  readonly signal: AbortSignal;
}

/** A server without sockets, whose responses a test decides. */
export class ScriptedServer {
  /** Requests, oldest first. */
  readonly requests: ScriptedRequest[] = [];
  readonly client: GridClient;
  /** Responds to the next requests. */
  respond: (request: ScriptedRequest) => Promise<Response> | Response;

  constructor(respond: ScriptedServer["respond"]) {
    this.respond = respond;
    this.client = createClient({
      apiUrl: "http://grid",
      timeoutMs: Infinity,
      fetch: async (url, init) => {
        const signal = init?.signal ?? new AbortController().signal;
        const request = {
          method: init?.method ?? "GET",
          path: new URL(String(url)).pathname,
          headers: new Headers(init?.headers),
          body: JSON.parse(String(init?.body ?? "null")),
          signal,
        };
        this.requests.push(request);
        return await Promise.race([this.respond(request), rejectOn(signal)]);
      },
    });
  }

  /** Returns the newest request after all pending work is done. */
  async latest(): Promise<ScriptedRequest> {
    await settle();
    const request = this.requests.at(-1);
    if (!request) throw new Error("No request was sent");
    return request;
  }
}

/** Creates a problem response. */
export function problem(status: number, code: string): Response {
  const detail = `Cannot serve the request: ${code}`;
  return Response.json({ code, detail }, { status });
}

/** A response that never comes. */
export function silence(): Promise<Response> {
  return new Promise(() => {});
}

function rejectOn(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), {
      once: true,
    });
  });
}
