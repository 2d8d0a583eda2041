import { readLines } from "./stream_response.ts";

/** A progress message of a pull or a build. */
export interface EngineEvent {
  readonly stream?: string;
  readonly error?: string;
  readonly status?: string;
  readonly id?: string;
  readonly progressDetail?: {
    readonly current?: number;
    readonly total?: number;
  };
}

/**
 * Reads the progress messages of a pull or a build.
 *
 * @throws {Error} The error that the engine reports, or a broken stream.
 */
export async function* readEngineEvents(
  stream: NodeJS.ReadableStream,
): AsyncGenerator<EngineEvent> {
  for await (const line of readLines(stream)) {
    const event: EngineEvent = JSON.parse(line);
    if (event.error !== undefined) throw new Error(event.error);
    yield event;
  }
}
