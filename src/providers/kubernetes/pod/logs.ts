import type { FollowOptions, OutputPart } from "../../../core/provider.ts";
import { OutputBuffer } from "../../kit/output_buffer.ts";
import type { KubernetesClient } from "../api/client.ts";
import type { ApiLimits } from "../api/transport.ts";

/** Returns the last lines of a pod's output. */
export async function readLogs(
  client: KubernetesClient,
  name: string,
  lines: number,
  limits?: ApiLimits,
): Promise<string> {
  return (await client.readLog(name, lines, limits)).trimEnd();
}

/** Yields the output of a pod as it comes. Ends with its container, or if the connection breaks. */
export async function* followLogs(
  client: KubernetesClient,
  name: string,
  { lines, signal }: FollowOptions,
): AsyncGenerator<OutputPart, void> {
  const buffer = new OutputBuffer();
  const end = new AbortController();
  const reading = readInto(buffer, client, {
    name,
    lines,
    signal: AbortSignal.any([signal, end.signal]),
  });
  try {
    yield* buffer.read();
  } finally {
    end.abort();
    await reading;
  }
}

/** Never rejects: a broken connection ends the output. */
async function readInto(
  buffer: OutputBuffer,
  client: KubernetesClient,
  { name, lines, signal }: FollowOptions & { readonly name: string },
): Promise<void> {
  const decoder = new TextDecoder();
  try {
    for await (const bytes of await client.openLog(name, lines, signal)) {
      const text = decoder.decode(bytes, { stream: true });
      if (text !== "") buffer.add(text);
    }
  } catch {
    // The follower was ended, or the API is away; a later follower begins anew.
  } finally {
    buffer.end();
  }
}
