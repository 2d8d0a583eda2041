/** Signals that ask the process to end. */
const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM"];

/**
 * Signals that follow this closely are one wish: a task runner passes on the Ctrl+C that the terminal has sent to its
 * whole process group already.
 */
const SAME_WISH_MS = 500;

/** What was asked for: the first signal to stop in good order, the second to stop now. */
export interface Shutdown extends Disposable {
  readonly stop: AbortSignal;
  readonly now: AbortSignal;
}

/** Listens for the signals that end a process until disposed. */
export function listenForShutdown(): Shutdown {
  const stop = new AbortController();
  const now = new AbortController();
  let stoppedAt = -Infinity;
  const onSignal = () => {
    if (!stop.signal.aborted) {
      stoppedAt = performance.now();
      stop.abort();
    } else if (performance.now() - stoppedAt > SAME_WISH_MS) now.abort();
  };
  for (const signal of SIGNALS) Deno.addSignalListener(signal, onSignal);
  return {
    stop: stop.signal,
    now: now.signal,
    [Symbol.dispose]() {
      for (const signal of SIGNALS) Deno.removeSignalListener(signal, onSignal);
    },
  };
}
