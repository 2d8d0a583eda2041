/** Signals that ask the process to end. */
const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM"];

/** What was asked for: the first signal to stop in good order, the second to stop now. */
export interface Shutdown extends Disposable {
  readonly stop: AbortSignal;
  readonly now: AbortSignal;
}

/** Listens for the signals that end a process until disposed. */
export function listenForShutdown(): Shutdown {
  const stop = new AbortController();
  const now = new AbortController();
  const onSignal = () => (stop.signal.aborted ? now : stop).abort();
  for (const signal of SIGNALS) Deno.addSignalListener(signal, onSignal);
  return {
    stop: stop.signal,
    now: now.signal,
    [Symbol.dispose]() {
      for (const signal of SIGNALS) Deno.removeSignalListener(signal, onSignal);
    },
  };
}
