import type { Clock } from "../async/clock.ts";
import { deadline } from "../async/deadline.ts";
import { createLogger } from "../core/log.ts";
import type { ScopedSpan } from "../core/trace/tracer.ts";
import type { ResourceAttributes } from "./encode.ts";

const log = createLogger("otlp", "exporter");

/** Maximum number of spans that wait to be sent; more are dropped. */
const MAX_QUEUE = 2_048;

/** Maximum number of spans in one request. */
const MAX_BATCH = 512;

/** Time for which spans are collected before they are sent. */
const BATCH_MS = 1_000;

/** Timeout of a request. */
const TIMEOUT_MS = 5_000;

/** Time that a stopping process waits for the last request. */
const FLUSH_MS = 1_500;

/** First and longest pause after a failure that may pass. */
const MIN_PAUSE_MS = 2_000;
const MAX_PAUSE_MS = 60_000;

/** Minimum time between two warnings. */
const WARNING_MS = 60_000;

/** Status codes after which a request may be repeated, by the OTLP specification. */
const REPEATABLE: readonly number[] = [429, 502, 503, 504];

/** Options of a {@linkcode SpanExporter}. */
export interface SpanExporterOptions {
  /** URL of the collector, to which `/v1/traces` is added unless it ends so. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly resource: ResourceAttributes;
  readonly clock: Clock;
  /** Called with the number of spans that the collector has accepted, or that are lost. */
  readonly onDone?: (count: number, result: "sent" | "dropped") => void;
}

/** Result of a request: `retry` if it may be repeated. */
interface SendResult {
  readonly result: "sent" | "retry" | "rejected";
  readonly error?: unknown;
}

/**
 * Sends spans to a collector by OTLP over HTTP, in batches of JSON. Spans wait in a bounded queue while the collector is
 * away. Disposal sends what waits, within {@linkcode FLUSH_MS}.
 */
export class SpanExporter implements AsyncDisposable {
  readonly #options: SpanExporterOptions;
  readonly #url: string;
  readonly #stop = new AbortController();
  readonly #waiting: ScopedSpan[] = [];
  #running: Promise<void> | undefined;
  #dropped = 0;
  #warnedAt = -Infinity;

  constructor(options: SpanExporterOptions) {
    this.#options = options;
    this.#url = toTracesUrl(options.endpoint);
  }

  /** Adds a span to those that are sent next, or drops it if too many wait. */
  add(span: ScopedSpan): void {
    if (this.#stop.signal.aborted || this.#waiting.length >= MAX_QUEUE) {
      return this.#drop(1);
    }
    this.#waiting.push(span);
    this.#running ??= this.#run().finally(() => this.#running = undefined);
  }

  /** Sends what waits, once. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new DOMException("The process stops", "AbortError"));
    await this.#running;
    using timeout = deadline(this.#options.clock, FLUSH_MS);
    while (this.#waiting.length > 0) {
      if (!await this.#sendNext(timeout.signal)) break;
    }
    this.#drop(this.#waiting.splice(0).length);
    if (this.#dropped > 0) {
      log.warn("{count} spans were not sent", { count: this.#dropped });
    }
  }

  /** Sends until no span waits. */
  async #run(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stop;
    let failures = 0;
    while (this.#waiting.length > 0 && !signal.aborted) {
      const pause = failures === 0
        ? BATCH_MS
        : Math.min(MIN_PAUSE_MS * 2 ** (failures - 1), MAX_PAUSE_MS);
      await clock.sleep(pause, signal).catch(() => {});
      if (signal.aborted) return;
      using timeout = deadline(clock, TIMEOUT_MS, signal);
      failures = await this.#sendNext(timeout.signal) ? 0 : failures + 1;
    }
  }

  /** Sends one batch. Returns false if it must be repeated; it then keeps its place. */
  async #sendNext(signal: AbortSignal): Promise<boolean> {
    const batch = this.#waiting.slice(0, MAX_BATCH);
    const { result, error } = await this.#send(batch, signal);
    if (result !== "sent" && !this.#stop.signal.aborted) this.#warn(error);
    if (result === "retry") return false;
    this.#waiting.splice(0, batch.length);
    if (result === "sent") this.#options.onDone?.(batch.length, "sent");
    else this.#drop(batch.length);
    return true;
  }

  async #send(
    batch: readonly ScopedSpan[],
    signal: AbortSignal,
  ): Promise<SendResult> {
    const { headers, resource } = this.#options;
    try {
      const { encodeSpans } = await import("./encode.ts");
      signal.throwIfAborted();
      const response = await fetch(this.#url, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body: encodeSpans(batch, resource),
        redirect: "manual",
        signal,
      });
      await response.body?.cancel();
      if (response.ok) return { result: "sent" };
      const isRepeatable = REPEATABLE.includes(response.status);
      return {
        result: isRepeatable ? "retry" : "rejected",
        error: `the collector responded with ${response.status}`,
      };
    } catch (error) {
      return { result: "retry", error };
    }
  }

  #drop(count: number): void {
    if (count === 0) return;
    this.#dropped += count;
    this.#options.onDone?.(count, "dropped");
  }

  #warn(error: unknown): void {
    const now = this.#options.clock.monotonic();
    if (now - this.#warnedAt < WARNING_MS) return;
    this.#warnedAt = now;
    log.warn(
      "Sending spans to {endpoint} failed, {waiting} wait and {dropped} were dropped: {error}",
      {
        endpoint: new URL(this.#url).origin,
        waiting: this.#waiting.length,
        dropped: this.#dropped,
        error,
      },
    );
  }
}

function toTracesUrl(endpoint: string): string {
  const url = new URL(endpoint);
  if (!/\/v1\/traces\/?$/.test(url.pathname)) {
    url.pathname = `${url.pathname.replace(/\/+$/, "")}/v1/traces`;
  }
  return url.href;
}
