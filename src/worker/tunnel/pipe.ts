import { systemClock } from "../../async/clock.ts";
import { deadline } from "../../async/deadline.ts";

/** What a read takes at first, in bytes: an idle stream costs two of these. */
const MIN_BUFFER_BYTES = 4 * 1_024;

/** What a read takes at most; of a gigabyte this costs three quarters of what 64 kB do. */
const MAX_BUFFER_BYTES = 256 * 1_024;

/** How much more the next read takes when one has filled its buffer. */
const GROWTH = 8;

/** How long the other direction may go on when one has ended. */
const LINGER_MS = 2_000;

/** How two connections are joined. */
export interface JoinOptions {
  /** What the first has brought already. */
  readonly early: Uint8Array;
  /** Ends both at once. */
  readonly signal: AbortSignal;
}

/**
 * Copies bytes both ways until one connection has ended, and closes both. Nothing is read before what was read last is
 * written: a side that does not read stops the other. Never rejects.
 */
export async function joinConns(
  first: Deno.Conn,
  second: Deno.Conn,
  { early, signal }: JoinOptions,
): Promise<void> {
  const end = () => {
    close(first);
    close(second);
  };
  signal.addEventListener("abort", end);
  if (signal.aborted) end();
  // What fails in one direction is over in both.
  const ways = [
    copy(first, second, early).catch(end),
    copy(second, first).catch(end),
  ];
  await Promise.race(ways);
  using patience = deadline(systemClock, LINGER_MS);
  patience.signal.addEventListener("abort", end);
  await Promise.all(ways);
  end();
  signal.removeEventListener("abort", end);
}

async function copy(
  from: Deno.Conn,
  to: Deno.Conn,
  early?: Uint8Array,
): Promise<void> {
  if (early && early.length > 0) await writeAll(to, early);
  let buffer = new Uint8Array(MIN_BUFFER_BYTES);
  for (;;) {
    const count = await from.read(buffer);
    if (count === null) return await to.closeWrite();
    await writeAll(to, buffer.subarray(0, count));
    const isFull = count === buffer.length && count < MAX_BUFFER_BYTES;
    if (isFull) buffer = new Uint8Array(count * GROWTH);
  }
}

/** Writes all of `bytes`. */
export async function writeAll(
  to: Deno.Conn,
  bytes: Uint8Array,
): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
}

/** Closes a connection that may be closed already. */
export function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // It was closed by whoever came first.
  }
}
