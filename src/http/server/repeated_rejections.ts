import { Buffer } from "node:buffer";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Clock, systemClock } from "../../async/clock.ts";
import { lruTouch } from "../../async/lru.ts";
import type { Admission } from "../admission.ts";

/** Time for which a rejection is repeated, at most as long as `Retry-After`. */
const REPEAT_MS = 1_000;

/** Maximum number of recorded rejections. */
const MAX_RECORDED = 1_000;

/** Headers that determine the caller or the response of a request. */
const DISTINGUISHING = [
  "host",
  "x-api-key",
  "authorization",
  "x-forwarded-for",
  "origin",
  "accept-encoding",
] as const;

/** The parts of a request that identify it. */
interface RequestHead {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly socket: { readonly remoteAddress?: string | undefined };
}

/** The parts of an {@linkcode Admission} that a server needs. */
export type AdmissionState = Pick<Admission, "arrive" | "wasRejected">;

interface Recorded {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly until: number;
}

/**
 * Rejections for overload, repeated to clients that send the same request again before their `Retry-After`.
 *
 * Under a flood, most of the server's time would otherwise go to rejections: one that passes the middleware takes five
 * times as long as one that is repeated. A repeated one has the request id of the first, and is not logged.
 */
export class RepeatedRejections {
  readonly #admission: AdmissionState;
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #recorded = new Map<string, Recorded>();

  constructor(
    admission: AdmissionState,
    clock: Pick<Clock, "monotonic"> = systemClock,
  ) {
    this.#admission = admission;
    this.#clock = clock;
  }

  /** Repeats the rejection of the same request, if there was one just now. To be called under overload only. */
  repeat(incoming: IncomingMessage, outgoing: ServerResponse): boolean {
    const found = this.#recorded.get(describeRequest(incoming));
    if (!found || found.until < this.#clock.monotonic()) return false;
    incoming.resume();
    outgoing.writeHead(found.status, found.headers);
    outgoing.end(found.body);
    return true;
  }

  /** Returns `response`. Records it if the request was rejected for overload. */
  async record(incoming: RequestHead, response: Response): Promise<Response> {
    if (!this.#admission.wasRejected(incoming)) return response;
    // As text it is written together with the head.
    const body = await response.text();
    const { status, headers } = response;
    const recorded = {
      status,
      headers: {
        ...Object.fromEntries(headers),
        "content-length": String(Buffer.byteLength(body)),
      },
      body,
      until: this.#clock.monotonic() + REPEAT_MS,
    };
    const entry = [describeRequest(incoming), recorded] as const;
    lruTouch(this.#recorded, entry, MAX_RECORDED);
    return new Response(body, response);
  }
}

/** Returns a text that two requests share only if the same caller asks for the same, apart from the body. */
function describeRequest(
  { method, url, headers, socket }: RequestHead,
): string {
  return JSON.stringify([
    method,
    url,
    socket.remoteAddress,
    ...DISTINGUISHING.map((name) => headers[name]),
  ]);
}
