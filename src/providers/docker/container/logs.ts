import { Buffer } from "node:buffer";
import type Docker from "dockerode";
import type { FollowOptions, OutputPart } from "../../../core/provider.ts";
import { OutputBuffer } from "../../kit/output_buffer.ts";
import { callEngine } from "../engine/call_engine.ts";
import {
  type Modem,
  openEngineResponse,
  waitUntilClosed,
} from "../engine/stream_response.ts";

/** Length of the header of each frame: stream, three zeros, length. */
const HEADER_BYTES = 8;

/** Timeout, short because the end of a session waits for it. */
const TIMEOUT_MS = 5_000;

/** Returns the last lines of a container's output. */
export async function readLogs(
  container: Docker.Container,
  lines: number,
): Promise<string> {
  const bytes = await callEngine(
    (abortSignal) =>
      container.logs({ stdout: true, stderr: true, tail: lines, abortSignal }),
    { timeoutMs: TIMEOUT_MS },
  );
  return new Demultiplexer().add(bytes).trimEnd();
}

/** Yields the output of a container as it comes. Ends with the container, or if the engine's connection breaks. */
export async function* followLogs(
  container: Docker.Container,
  { lines, signal }: FollowOptions,
): AsyncGenerator<OutputPart, void> {
  const buffer = new OutputBuffer();
  using end = endAtDisposal();
  void readInto(buffer, container, {
    lines,
    signal: AbortSignal.any([signal, end.signal]),
  });
  yield* buffer.read();
}

/** Returns a signal that is aborted by its disposal. */
function endAtDisposal(): Disposable & { readonly signal: AbortSignal } {
  const end = new AbortController();
  return { signal: end.signal, [Symbol.dispose]: () => end.abort() };
}

/** Never rejects: a broken connection ends the output. */
async function readInto(
  buffer: OutputBuffer,
  container: Docker.Container,
  { lines, signal: abortSignal }: FollowOptions,
): Promise<void> {
  const modem: Modem = container.modem;
  const frames = new Demultiplexer();
  try {
    const response = await openEngineResponse(modem, {
      path: `/containers/${container.id}/logs`,
      query: { stdout: "1", stderr: "1", follow: "1", tail: String(lines) },
      abortSignal,
    });
    for await (const bytes of response) {
      const text = frames.add(bytes);
      if (text !== "") buffer.add(text);
    }
    await waitUntilClosed(response.socket);
  } catch {
    // The follower was ended, or the engine is restarted; a later follower begins anew.
  } finally {
    buffer.end();
  }
}

/**
 * Decodes the engine's log stream: standard output and standard error in order of arrival.
 *
 * @see {@link https://docs.docker.com/reference/api/engine/ ContainerAttach: stream format}
 */
class Demultiplexer {
  readonly #decoder = new TextDecoder();
  #rest: Buffer = Buffer.alloc(0);

  /** Returns the text of the frames that are complete. */
  add(bytes: Buffer): string {
    const all = Buffer.concat([this.#rest, bytes]);
    let text = "";
    let at = 0;
    while (at + HEADER_BYTES <= all.length) {
      const end = at + HEADER_BYTES + all.readUInt32BE(at + 4);
      if (end > all.length) break;
      text += this.#decoder.decode(all.subarray(at + HEADER_BYTES, end), {
        stream: true,
      });
      at = end;
    }
    this.#rest = all.subarray(at);
    return text;
  }
}
