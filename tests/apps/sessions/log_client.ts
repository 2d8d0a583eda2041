import assert from "node:assert/strict";
import type { TestGrid } from "../../support/grid.ts";
import { readStream, type StreamMessage } from "../events/stream_client.ts";

/** A part of output, as server-sent events have it. */
export interface SentPart {
  readonly id: number;
  readonly text: string;
  readonly omitted_bytes: number;
  readonly first: boolean;
}

/** Followed output of a session. Disposal closes it. */
export interface LogClient extends AsyncDisposable {
  /** Resolves with the next part. */
  next(): Promise<SentPart>;
  /** Resolves with the last message. */
  end(): Promise<StreamMessage | undefined>;
}

/** Follows a session with server-sent events. */
export async function followEvents(
  grid: TestGrid,
  id: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<LogClient> {
  const stream = readStream(
    await grid.request(`/v1/sessions/${id}/logs?follow=true`, {
      headers: { accept: "text/event-stream", ...headers },
    }),
  );
  return {
    async next() {
      const { id, event, data = "" } = await stream.next() ?? {};
      assert.equal(event, "log", data);
      return { id: Number(id), ...JSON.parse(data) };
    },
    async end() {
      const last = await stream.next();
      assert.equal(await stream.next(), undefined);
      return last;
    },
    [Symbol.asyncDispose]: () => stream[Symbol.asyncDispose](),
  };
}

/** Followed output as text. */
export interface TextClient extends AsyncDisposable {
  readonly response: Response;
  /** Resolves when all text so far matches. */
  until(pattern: RegExp): Promise<string>;
  /** Resolves with all text at the end. */
  all(): Promise<string>;
}

/** Follows a session as plain text. */
export function readLogText(response: Response): TextClient {
  assert.equal(response.status, 200);
  assert.ok(response.body);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const read = async () => {
    const { done, value = "" } = await reader.read();
    text += value;
    return !done;
  };
  return {
    response,
    async until(pattern) {
      while (!pattern.test(text)) {
        assert.ok(await read(), `ended without ${pattern}: ${text}`);
      }
      return text;
    },
    async all() {
      while (await read());
      return text;
    },
    async [Symbol.asyncDispose]() {
      await reader.cancel().catch(() => {});
    },
  };
}
