import type { Buffer } from "node:buffer";
import type Docker from "dockerode";
import { callEngine } from "../engine/call_engine.ts";

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
  return demultiplex(bytes).trimEnd();
}

/**
 * Returns the text of the engine's log stream: standard output and standard error in order of arrival.
 *
 * @see {@link https://docs.docker.com/reference/api/engine/ ContainerAttach: stream format}
 */
function demultiplex(bytes: Buffer): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoder = new TextDecoder();
  let text = "";
  let at = 0;
  while (at + HEADER_BYTES <= bytes.length) {
    const end = at + HEADER_BYTES + view.getUint32(at + 4);
    text += decoder.decode(bytes.subarray(at + HEADER_BYTES, end), {
      stream: true,
    });
    at = end;
  }
  return text;
}
