import { type ReadonlySignal, signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, type EventWire } from "../../../client/client.ts";
import { describeError } from "../api/describe_error.ts";
import { listen } from "./grid_events.ts";
import { Reloader } from "./reloader.ts";

/** The known state of something on the server. */
export interface Resource<T> {
  /** The last value that was loaded. */
  readonly value: T | undefined;
  /** Reason why the last attempt failed. */
  readonly error: string | undefined;
  /** Loads it again now. */
  readonly reload: () => void;
}

const lastLoad = signal<number>();

/** Time of the last load that succeeded, of any resource. */
export const loadedAt: ReadonlySignal<number | undefined> = lastLoad;

/** Describes when a resource is loaded again. */
export interface ResourceOptions {
  /** Reports whether the resource may have changed by an event. */
  readonly changesBy: (event: EventWire) => boolean;
  /** Interval of loads without an event, while the page is visible. @default {none} */
  readonly everyMs?: number;
}

/**
 * Loads a value, and loads it again when events change it or may have been missed. Events close together cause one
 * load. While a changed `key` loads, the last value stays.
 */
export function useResource<T>(
  key: string,
  load: (signal: AbortSignal) => Promise<T>,
  options: ResourceOptions,
): Resource<T> {
  const [state, setState] = useState<Pick<Resource<T>, "value" | "error">>({
    value: undefined,
    error: undefined,
  });
  const reloader = useRef<Reloader | null>(null);
  useEffect(() => {
    const own = new Reloader(async (signal) => {
      try {
        const value = await load(signal);
        if (signal.aborted) return "settled";
        lastLoad.value = Date.now();
        setState({ value, error: undefined });
        return "settled";
      } catch (error) {
        if (signal.aborted) return "settled";
        setState(({ value }) => ({ value, error: describeError(error) }));
        return isPassing(error) ? "retry" : "settled";
      }
    }, options);
    reloader.current = own;
    const stopListening = listen({
      onEvent: (event) => options.changesBy(event) && own.request(),
      onReset: () => own.request(),
    });
    return () => {
      stopListening();
      own[Symbol.dispose]();
    };
  }, [key]);
  return { ...state, reload: () => reloader.current?.request() };
}

/** Reports whether another attempt may succeed: the server does not respond, is overloaded, or limits the rate. */
function isPassing(error: unknown): boolean {
  return error instanceof ApiError &&
    (error.status === 0 || error.status === 429 || error.status >= 500);
}
