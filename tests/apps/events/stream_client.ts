import assert from "node:assert/strict";
import type { EventWire } from "../../../src/apps/events/schemas.ts";

/** A message of a stream of server-sent events. */
export interface StreamMessage {
  readonly id?: string;
  readonly event?: string;
  readonly data?: string;
}

/** An open stream of events. Disposal closes it. */
export interface StreamClient extends AsyncDisposable {
  readonly response: Response;
  /** Resolves with the next message; undefined at the end. Comments are left out. */
  next(): Promise<StreamMessage | undefined>;
  /** Resolves with the next `count` events. */
  take(count: number): Promise<readonly EventWire[]>;
}

/** Reads a response of server-sent events. */
export function readStream(response: Response): StreamClient {
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  assert.ok(response.body);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  async function next(): Promise<StreamMessage | undefined> {
    for (;;) {
      const end = text.indexOf("\n\n");
      if (end < 0) {
        const { done, value } = await reader.read();
        if (done) return undefined;
        text += value;
        continue;
      }
      const lines = text.slice(0, end).split("\n");
      text = text.slice(end + 2);
      const message = Object.fromEntries(
        lines.flatMap((line) => {
          const [, name, value] = /^(\w+): (.*)$/.exec(line) ?? [];
          return name === undefined ? [] : [[name, value]];
        }),
      );
      if ("data" in message) return message;
    }
  }
  return {
    response,
    next,
    async take(count) {
      const events: EventWire[] = [];
      while (events.length < count) {
        const message = await next();
        assert.ok(message?.data !== undefined, "the stream has ended");
        const event: EventWire = JSON.parse(message.data);
        assert.equal(message.id, String(event.sequence));
        assert.equal(message.event, event.type);
        events.push(event);
      }
      return events;
    },
    async [Symbol.asyncDispose]() {
      await reader.cancel().catch(() => {});
    },
  };
}
