import { systemClock } from "./clock.ts";
import { deadline } from "./deadline.ts";

/** Initial size of a read buffer. An idle pair of connections has two of them. */
const MIN_BUFFER_BYTES = 4 * 1_024;

/** Maximum size of a read buffer. Copying a gigabyte takes three quarters of the processor time that 64 KiB buffers take. */
const MAX_BUFFER_BYTES = 256 * 1_024;

/** Factor by which a buffer grows after a read that filled it. */
const GROWTH = 8;

/** Time that one direction may continue after the other has ended. */
const LINGER_MS = 2_000;

/** Options of {@linkcode joinConns}. */
export interface JoinOptions {
  /** Bytes that were already read from the first connection. */
  readonly early: Uint8Array;
  /** Closes both connections immediately. */
  readonly signal: AbortSignal;
}

/**
 * Copies bytes in both directions until one connection ends, then closes both. Never rejects.
 *
 * Reads only after the previous bytes are written, so a side that stops reading also stops the other side.
 */
export async function joinConns(
  first: Deno.Conn,
  second: Deno.Conn,
  { early, signal }: JoinOptions,
): Promise<void> {
  const end = () => {
    closeConn(first);
    closeConn(second);
  };
  signal.addEventListener("abort", end);
  if (signal.aborted) end();
  // A failure in one direction ends both.
  const directions = [
    copy(first, second, early).catch(end),
    copy(second, first).catch(end),
  ];
  await Promise.race(directions);
  using linger = deadline(systemClock, LINGER_MS);
  linger.signal.addEventListener("abort", end);
  await Promise.all(directions);
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

/** Closes a connection, unless it is already closed. */
export function closeConn(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // Already closed by the other direction or by the signal.
  }
}
