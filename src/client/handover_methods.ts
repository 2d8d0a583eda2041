import { systemClock } from "../async/clock.ts";
import type {
  HandoverBody,
  HandoverFinish,
  HandoverWire,
  NewHandoverWire,
} from "../apps/handover/schemas.ts";
import { ApiError } from "./api_error.ts";
import type { CallOptions, Transport } from "./transport.ts";

/** Time for which a server holds one request of {@linkcode HandoverMethods.waitForHandover}. */
const WAIT_SECONDS = 50;

/** Least time between two such requests. */
const PAUSE_MS = 1_000;

/** Options of a read of a hand-over. */
export interface HandoverOptions extends CallOptions {
  /** Time for which the server waits until the request has ended, at most 60. */
  readonly waitSeconds?: number | undefined;
}

/** Endpoints of hand-overs: a person takes control of a session, and gives it back. */
export interface HandoverMethods {
  /** Asks a person to take control of a session. Only this response contains the address for the person. */
  requestHandover(
    id: string,
    body: HandoverBody,
    options?: CallOptions,
  ): Promise<NewHandoverWire>;
  /** Returns the last request of a session. */
  getHandover(id: string, options?: HandoverOptions): Promise<HandoverWire>;
  /**
   * Returns the last request of a session once it has ended, however long it takes. After the first response it asks
   * again when the server cannot be reached.
   */
  waitForHandover(id: string, options?: CallOptions): Promise<HandoverWire>;
  /** Cancels the open request of a session. */
  cancelHandover(id: string, options?: CallOptions): Promise<HandoverWire>;
  /** Ends the open request of a session, as the person does with Done. */
  finishHandover(
    id: string,
    body?: HandoverFinish,
    options?: CallOptions,
  ): Promise<HandoverWire>;
}

/** Creates the methods over `transport`. */
export function createHandoverMethods(transport: Transport): HandoverMethods {
  const buildPath = (id: string) =>
    `/v1/sessions/${encodeURIComponent(id)}/handover`;
  const methods: HandoverMethods = {
    requestHandover: (id, body, options) =>
      transport.json("POST", buildPath(id), { ...options, body }),
    getHandover: (id, options) =>
      transport.json("GET", buildPath(id), { ...options }),
    waitForHandover: (id, options) =>
      waitUntilEnded(
        () =>
          methods.getHandover(id, { ...options, waitSeconds: WAIT_SECONDS }),
        options?.signal,
      ),
    cancelHandover: (id, options) =>
      transport.json("DELETE", buildPath(id), { ...options }),
    finishHandover: (id, body = {}, options) =>
      transport.json("POST", `${buildPath(id)}/finish`, { ...options, body }),
  };
  return methods;
}

async function waitUntilEnded(
  read: () => Promise<HandoverWire>,
  signal: AbortSignal | undefined,
): Promise<HandoverWire> {
  for (let isKnown = false;;) {
    const startedAt = systemClock.monotonic();
    try {
      const handover = await read();
      if (handover.status !== "open") return handover;
      isKnown = true;
    } catch (error) {
      if (!isKnown || !isPassing(error)) throw error;
    }
    // A server that stops responds at once.
    const left = PAUSE_MS - (systemClock.monotonic() - startedAt);
    if (left > 0) await systemClock.sleep(left, signal);
  }
}

/** Reports whether a later request may succeed. */
function isPassing(error: unknown): boolean {
  return error instanceof ApiError &&
    (error.isUnavailable || error.status === 0 || error.status === 429);
}
