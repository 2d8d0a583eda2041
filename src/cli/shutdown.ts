/** Signals that end the process; SIGHUP is sent when its terminal is closed. */
const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK", "SIGHUP"]
  : ["SIGINT", "SIGTERM", "SIGHUP"];

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
  // Without a listener the runtime ends at SIGHUP even if the signal should be ignored.
  const outlivesTerminal = isHangupIgnored();
  const onHangup = () => {
    if (!outlivesTerminal) onSignal();
  };
  const listeners = SIGNALS.map((signal) =>
    [signal, signal === "SIGHUP" ? onHangup : onSignal] as const
  );
  for (const each of listeners) Deno.addSignalListener(...each);
  return {
    stop: stop.signal,
    now: now.signal,
    [Symbol.dispose]() {
      for (const each of listeners) Deno.removeSignalListener(...each);
    },
  };
}

/** Reports whether the process was started to outlive its terminal, such as by `nohup`; detected on Linux only. */
function isHangupIgnored(): boolean {
  if (Deno.build.os !== "linux") return false;
  try {
    const status = Deno.readTextFileSync("/proc/self/status");
    const [, mask = "0"] = /^SigIgn:\s*([0-9a-f]+)$/m.exec(status) ?? [];
    return (BigInt(`0x${mask}`) & 1n) === 1n;
  } catch {
    return false;
  }
}
