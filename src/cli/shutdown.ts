/** Signals that end the process; SIGHUP is sent when its terminal is closed. */
const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK", "SIGHUP"]
  : ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * Signals within this time count as one: a task runner forwards the Ctrl+C that the terminal has already sent to the
 * whole process group.
 */
const SAME_SIGNAL_MS = 500;

/** Options of {@linkcode Shutdown.listen}. */
export interface ShutdownOptions {
  /**
   * Continues to listen after a disposal that follows the first signal: the process is about to exit then, and one more
   * signal must not change its exit code. @default {false}
   */
  readonly untilExit?: boolean;
}

/** The signals that end the process. Disposal stops listening to them. */
export class Shutdown implements Disposable {
  readonly #stop = new AbortController();
  readonly #now = new AbortController();
  readonly #listeners: readonly (readonly [Deno.Signal, () => void])[];
  readonly #untilExit: boolean;
  #stoppedAt = -Infinity;

  /** Starts to listen. */
  static listen(options: ShutdownOptions = {}): Shutdown {
    return new Shutdown(options);
  }

  private constructor({ untilExit = false }: ShutdownOptions) {
    this.#untilExit = untilExit;
    const onSignal = () => this.#onSignal();
    // Without a listener the runtime ends at SIGHUP even if the signal should be ignored.
    const onHangup = isHangupIgnored() ? () => {} : onSignal;
    this.#listeners = SIGNALS.map((signal) =>
      [signal, signal === "SIGHUP" ? onHangup : onSignal] as const
    );
    for (const each of this.#listeners) Deno.addSignalListener(...each);
  }

  /** Aborted by the first signal: stop gracefully. */
  get stop(): AbortSignal {
    return this.#stop.signal;
  }

  /** Aborted by the second signal: stop now. */
  get now(): AbortSignal {
    return this.#now.signal;
  }

  [Symbol.dispose](): void {
    if (this.#untilExit && this.stop.aborted) return;
    for (const each of this.#listeners) Deno.removeSignalListener(...each);
  }

  #onSignal(): void {
    if (!this.stop.aborted) {
      this.#stoppedAt = performance.now();
      this.#stop.abort();
    } else if (performance.now() - this.#stoppedAt > SAME_SIGNAL_MS) {
      this.#now.abort();
    }
  }
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
