import { readLines } from "./stream_response.ts";

/** One line of the engine's stream about a pull or a build. */
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
 * What the engine tells of a pull or a build, to its end.
 *
 * @throws {Error} with the error that the engine tells, or when the stream breaks.
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
