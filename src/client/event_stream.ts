import { systemClock } from "../async/clock.ts";
import { ApiError } from "./api_error.ts";
import { parseMessages } from "./server_sent_events.ts";
import type { CallOptions } from "./transport.ts";

/** Pause before a client reconnects, until the server sends its own. */
const RETRY_MS = 2_000;

/** Longest pause between two attempts. */
const MAX_RETRY_MS = 30_000;

/** Options of a stream of events. */
export interface EventStreamOptions extends CallOptions {
  /** Called when the connection is lost, once until it is open again. */
  readonly onLost?: ((error: ApiError) => void) | undefined;
  /** Called when a lost connection is open again. */
  readonly onReconnect?: (() => void) | undefined;
}

/** The content of a message: an item, or the end of the whole stream. */
type Content<T, E> = { readonly item: T } | { readonly end: E };

/** Opens a stream after an event. Throws {@linkcode ApiError}. */
type Open = (
  lastId: string | undefined,
  signal: AbortSignal | undefined,
) => AsyncIterable<string>;

/**
 * Yields the items of a stream, and opens it again whenever it ends, until the signal of `options` is aborted or a message
 * contains the end, which it returns.
 */
export async function* followStream<T, E>(
  { open, lastId, read }: {
    readonly open: Open;
    /** Id of the last event that was received. */
    readonly lastId?: string | undefined;
    /** Returns the content of a message. */
    readonly read: (type: string | undefined, data: string) => Content<T, E>;
  },
  { signal, onLost, onReconnect }: EventStreamOptions,
): AsyncGenerator<T, E | undefined, undefined> {
  let retryMs = RETRY_MS;
  let isOpened = false;
  let failures = 0;
  while (!signal?.aborted) {
    try {
      for await (const message of parseMessages(open(lastId, signal))) {
        if (signal?.aborted) return undefined;
        if (failures > 0) onReconnect?.();
        isOpened = true;
        failures = 0;
        retryMs = message.retryMs ?? retryMs;
        lastId = message.id ?? lastId;
        const { event, data } = message;
        if (data === undefined) continue;
        if (event === "end") break;
        if (event === "error") throw toProblem(JSON.parse(data));
        const content = read(event, data);
        if ("end" in content) return content.end;
        yield content.item;
      }
    } catch (cause) {
      if (signal?.aborted) return undefined;
      const error = toStreamError(cause);
      if (!isOpened || !isPassing(error)) throw error;
      if (failures === 0) onLost?.(error);
      failures++;
    }
    await systemClock.sleep(spread(retryMs, failures), signal).catch(() => {});
  }
  return undefined;
}

/** Returns the error with which the server has ended a stream. */
function toProblem(
  { code, detail }: { readonly code?: unknown; readonly detail?: unknown },
): ApiError {
  return new ApiError(String(code), String(detail), 503);
}

function toStreamError(cause: unknown): ApiError {
  if (cause instanceof ApiError) return cause;
  return new ApiError(
    "unreadable",
    "Cannot read the event stream: it is not one of a Browsergrid server",
    200,
    { cause },
  );
}

/** Reports whether another attempt may succeed: the server is away, overloaded, or rejects too many streams. */
function isPassing({ status }: ApiError): boolean {
  return status === 0 || status === 408 || status === 429 || status >= 500;
}

/** Returns the pause before the next attempt, spread so that the clients of a server do not reconnect together. */
function spread(retryMs: number, failures: number): number {
  const longest = Math.max(retryMs, MAX_RETRY_MS);
  const ms = Math.min(longest, retryMs * 2 ** Math.max(0, failures - 1));
  return ms * (0.5 + 0.5 * Math.random());
}
