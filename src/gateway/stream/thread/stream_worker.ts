/// <reference lib="deno.worker" />
/**
 * Entry of the stream thread. Its imports stay few: they are the memory and the start time of the thread.
 *
 * @module
 */
import { CLOSE_REASONS, type CloseReason } from "../close_frame.ts";
import { openReusingBuffer } from "../reused_buffer_socket.ts";
import { type Splice, startSplice } from "../splice.ts";
import {
  type JoinMessage,
  SharedState,
  type StreamMessage,
  type ThreadMessage,
} from "./messages.ts";

/** A stream and the resolver of its explanation. */
interface ServedStream {
  readonly splice: Splice;
  readonly explained: (reason: CloseReason) => void;
}

/** Joins sockets that the main thread sends. */
class StreamWorker {
  readonly #streams = new Map<number, ServedStream>();
  #hasFailed = false;

  /** Accepts messages until the main thread ends this one. */
  start(): void {
    self.onmessage = ({ data }) => this.#receive(data);
    addEventListener("error", (event) => this.#fail(event, event.error));
    addEventListener(
      "unhandledrejection",
      (event) => this.#fail(event, event.reason),
    );
    this.#send({ type: "ready" });
  }

  #receive(message: StreamMessage): void {
    if (message.type === "join") return this.#join(message);
    const stream = this.#streams.get(message.id);
    switch (message.type) {
      case "ping":
        return stream?.splice.ping();
      case "hold":
        return stream?.splice.hold(message.message);
      case "release":
        return stream?.splice.release();
      case "close":
        return stream?.splice.close(message.reason);
      case "expect_end":
        return stream?.splice.expectEnd(message.reason);
      case "explained":
        return stream?.explained(message.reason);
      default:
        message satisfies never;
    }
  }

  #join(
    { id, client, upstream, pings, isDeflated, hold, state: buffer, ...first }:
      JoinMessage,
  ) {
    if (this.#hasFailed) return;
    const state = new SharedState(buffer);
    state.take();
    const explanation = Promise.withResolvers<CloseReason>();
    const splice = startSplice(
      openReusingBuffer(client),
      openReusingBuffer(upstream),
      {
        first,
        pings,
        isDeflated,
        hold,
        counts: state,
        explain: (signal) => {
          signal.addEventListener(
            "abort",
            () => this.#send({ type: "client_gone", id }),
          );
          this.#send({ type: "explain", id });
          return explanation.promise;
        },
      },
    );
    this.#streams.set(id, { splice, explained: explanation.resolve });
    void splice.ended.then((end) => {
      this.#streams.delete(id);
      this.#send({ type: "ended", id, end });
    });
  }

  /** Reports an error that no stream has handled, and closes all streams: their state is unknown. */
  #fail(event: Event, error: unknown): void {
    event.preventDefault();
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    const text = error instanceof Error ? error.stack ?? "" : String(error);
    this.#send({ type: "failed", error: text });
    for (const { splice } of this.#streams.values()) {
      splice.close(CLOSE_REASONS.streamFailed);
    }
  }

  #send(message: ThreadMessage): void {
    self.postMessage(message);
  }
}

new StreamWorker().start();
