import { systemClock } from "../../../async/clock.ts";
import { deadline } from "../../../async/deadline.ts";
import type { FollowOptions, OutputPart } from "../../../core/provider.ts";
import { OutputBuffer } from "../../kit/output_buffer.ts";

/** Pause between two reads. Azure offers no stream without a connection of its own for each follower. */
const POLL_MS = 2_000;

/** Number of last lines in a read, of which the new ones are found. */
const WINDOW = 500;

/** Timeout of a read. */
const READ_MS = 10_000;

/** Output that is read again and again. */
export interface LogSource {
  /** Returns the last lines of the output. */
  read(lines: number, signal: AbortSignal): Promise<string>;
  /** Resolves at the end of the output. */
  readonly ended: Promise<unknown>;
}

/** Yields the output as it grows, read every two seconds. Ends with the browser; the last read follows its end. */
export async function* followLogs(
  source: LogSource,
  { lines, signal }: FollowOptions,
): AsyncGenerator<OutputPart, void> {
  const end = new AbortController();
  void source.ended.then(() => end.abort());
  const over = AbortSignal.any([signal, end.signal]);
  let seen: readonly string[] | undefined;
  for (let isLast = false; !isLast;) {
    isLast = over.aborted;
    const read = await readLines(source, WINDOW);
    if (read === undefined) {
      // The group was deleted, or Azure is away for a moment.
      if (isLast) return;
    } else {
      const isFirst = seen === undefined;
      const fresh = isFirst
        ? read.slice(-lines)
        : findNewLines(seen ?? [], read);
      const isGap = !isFirst && fresh.length === WINDOW;
      seen = read;
      yield* toParts(fresh, isGap);
    }
    if (!isLast) await systemClock.sleep(POLL_MS, over).catch(() => {});
  }
}

async function readLines(
  source: LogSource,
  lines: number,
): Promise<readonly string[] | undefined> {
  using timeout = deadline(systemClock, READ_MS);
  const text = await source.read(lines, timeout.signal).catch(() => undefined);
  return text === undefined ? undefined : text === "" ? [] : text.split("\n");
}

/** Returns the lines of `read` after those that it shares with the end of `seen`. */
export function findNewLines(
  seen: readonly string[],
  read: readonly string[],
): readonly string[] {
  for (let count = Math.min(seen.length, read.length); count > 0; count--) {
    const start = seen.length - count;
    if (read.slice(0, count).every((line, at) => line === seen[start + at])) {
      return read.slice(count);
    }
  }
  return read;
}

/** Yields lines in parts of at most 32 KB. @param isGap True if lines before them were lost, whose number is unknown. */
async function* toParts(
  lines: readonly string[],
  isGap: boolean,
): AsyncGenerator<OutputPart, void> {
  if (lines.length === 0) return;
  const buffer = new OutputBuffer();
  buffer.add(lines.map((line) => `${line}\n`).join(""));
  buffer.end();
  for await (const { text, omitted } of buffer.read()) {
    yield { text, omitted: isGap ? Math.max(1, omitted) : omitted };
  }
}
