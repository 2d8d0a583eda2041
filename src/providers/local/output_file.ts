import { closeSync, fstatSync, openSync, readSync, rmSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../async/clock.ts";
import type { FollowOptions, OutputPart } from "../../core/provider.ts";

/** Name of the file with a browser's last output, in its folder. */
const CURRENT = "output.log";

/** Name of the file with the end of the output before it. */
const EARLIER = "output.earlier.log";

/** Size from which a file is cut. */
const MAX_BYTES = 1_048_576;

/** Size of the end that is kept when the file is cut. */
const KEPT_BYTES = 262_144;

/** Maximum number of bytes of a part, and of those that wait for a follower. */
const MAX_PART_BYTES = 16_384;
const MAX_BACKLOG_BYTES = 65_536;

/** Interval at which a follower looks for new output. */
const POLL_INTERVAL_MS = 250;

const NEWLINE = 10;

/**
 * The output of a browser, in files of a limited size.
 *
 * The browser appends to a file and not to a pipe, so that it survives the worker. The worker cuts the file when it has
 * grown, as `logrotate` does with `copytruncate`: what is written between the copy and the cut is lost. Calls are
 * synchronous, because the files are in memory and a call to another thread takes longer.
 */
export class OutputFile {
  readonly #folder: string;
  /** Number of bytes that were cut off since this object exists. */
  #cut = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Creates the file, in place of an earlier one, and returns a descriptor for the browser, which appends. */
  create(): number {
    rmSync(this.#path, { force: true });
    return openSync(this.#path, "a", 0o600);
  }

  /**
   * Returns the output since the last cut; empty if there is no file. In one call, because a start reads it hundreds of
   * times while the browser needs the processor.
   */
  read(): string {
    try {
      return Deno.readTextFileSync(this.#path);
    } catch {
      return "";
    }
  }

  /** Returns the last lines, of at most {@linkcode KEPT_BYTES}. */
  readLastLines(lines: number): string {
    return this.#readEnd().trimEnd().split("\n").slice(-lines).join("\n")
      .trim();
  }

  /** Cuts the file if it has grown too large. Returns whether it did. */
  limit(): boolean {
    try {
      const { size } = Deno.statSync(this.#path);
      if (size <= MAX_BYTES) return false;
      const kept = readEnd(this.#path, KEPT_BYTES);
      Deno.writeFileSync(join(this.#folder, EARLIER), kept, { mode: 0o600 });
      this.#cut += this.size;
      Deno.truncateSync(this.#path);
      return true;
    } catch {
      // The browser has ended and its folder is gone, or the disk is full: the next call tries again.
      return false;
    }
  }

  /** Yields the last lines, then new output as it comes. Once `signal` is aborted, it yields the rest and ends. */
  async *follow(
    { lines, signal }: FollowOptions,
  ): AsyncGenerator<OutputPart, void> {
    let position = this.#end;
    const text = this.readLastLines(lines);
    if (text !== "") yield { text: `${text}\n`, omitted: 0 };
    for (;;) {
      // Decided before the output is read, so that the last part is complete.
      const isLast = signal.aborted;
      while (position < this.#end) {
        const { next, ...part } = this.#readPart(position);
        if (next === position) break;
        position = next;
        yield part;
      }
      if (isLast) return;
      await systemClock.sleep(POLL_INTERVAL_MS, signal).catch(() => {});
    }
  }

  get #path(): string {
    return join(this.#folder, CURRENT);
  }

  /** Size of the output since the last cut, in bytes; 0 if there is no file. */
  get size(): number {
    try {
      return Deno.statSync(this.#path).size;
    } catch {
      return 0;
    }
  }

  /** Number of bytes that were written since this object exists and before. */
  get #end(): number {
    return this.#cut + this.size;
  }

  #readEnd(): string {
    const current = readEnd(this.#path, KEPT_BYTES);
    const missing = KEPT_BYTES - current.length;
    if (missing === 0) return decode(current);
    return decode(readEnd(join(this.#folder, EARLIER), missing)) +
      decode(current);
  }

  /** Reads a part. If too much has been written since `position`, the oldest is left out. */
  #readPart(position: number): OutputPart & { readonly next: number } {
    const end = this.#end;
    const isBehind = end - position > MAX_BACKLOG_BYTES;
    const start = isBehind ? end - MAX_PART_BYTES : position;
    const bytes = this.#readAt(start, Math.min(end - start, MAX_PART_BYTES));
    const from = isBehind ? bytes.indexOf(NEWLINE) + 1 : 0;
    // A part ends with a line, unless the line is longer or the browser has not ended it.
    const last = bytes.lastIndexOf(NEWLINE) + 1;
    const to = last > from && bytes.length === MAX_PART_BYTES
      ? last
      : bytes.length;
    return {
      text: decode(bytes.subarray(from, to)),
      omitted: start + from - position,
      next: start + to,
    };
  }

  #readAt(start: number, length: number): Uint8Array {
    if (start >= this.#cut) {
      return readBytes(this.#path, () => start - this.#cut, length);
    }
    const back = this.#cut - start;
    const earlier = readBytes(
      join(this.#folder, EARLIER),
      (size) => size - back,
      Math.min(length, back),
    );
    return earlier;
  }
}

/** Cuts the files of running browsers that have grown too large, until it is closed. */
export class OutputLimiter {
  readonly #files = new Set<OutputFile>();
  readonly #closed: AbortSignal;
  #running: AbortController | undefined;

  /** @param closed Ends the checks. */
  constructor(closed: AbortSignal) {
    this.#closed = closed;
  }

  /** Limits a file until it is disposed. */
  add(file: OutputFile): Disposable {
    this.#files.add(file);
    if (!this.#running) {
      this.#running = new AbortController();
      void this.#run(AbortSignal.any([this.#running.signal, this.#closed]));
    }
    return {
      [Symbol.dispose]: () => {
        this.#files.delete(file);
        if (this.#files.size > 0) return;
        this.#running?.abort();
        this.#running = undefined;
      },
    };
  }

  async #run(end: AbortSignal): Promise<void> {
    while (!end.aborted) {
      let isFlood = false;
      for (const file of this.#files) isFlood = file.limit() || isFlood;
      const interval = isFlood ? FLOOD_INTERVAL_MS : LIMIT_INTERVAL_MS;
      await systemClock.sleep(interval, end).catch(() => {});
    }
  }
}

/** Interval at which the sizes of files are checked. */
const LIMIT_INTERVAL_MS = 500;

/** Interval while files grow fast: a browser can write 100 MB a second. */
const FLOOD_INTERVAL_MS = 50;

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Returns the last bytes of a file; none if there is no file. */
function readEnd(path: string, length: number): Uint8Array<ArrayBuffer> {
  return readBytes(path, (size) => Math.max(0, size - length), length);
}

/** Returns bytes of a file; none if there is no file. @param findStart Returns the position, from the size of the file. */
function readBytes(
  path: string,
  findStart: (size: number) => number,
  length: number,
): Uint8Array<ArrayBuffer> {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return new Uint8Array();
  }
  try {
    const { size } = fstatSync(file);
    const start = Math.max(0, findStart(size));
    const bytes = new Uint8Array(Math.max(0, Math.min(length, size - start)));
    const count = readSync(file, bytes, 0, bytes.length, start);
    return bytes.subarray(0, count);
  } finally {
    closeSync(file);
  }
}
