import type { Duplex } from "node:stream";

/** Time in which a stream may write its remaining bytes after the other has closed. */
const LINGER_MS = 2_000;

/** Copies bytes in both directions until one stream ends, then closes both. */
export function joinStreams(first: Duplex, second: Duplex): void {
  copy(first, second);
  copy(second, first);
}

function copy(from: Duplex, to: Duplex): void {
  from.on("error", () => from.destroy());
  from.on("close", () => {
    // Bytes that were read before the end are still written.
    to.end(() => to.destroy());
    const linger = setTimeout(() => to.destroy(), LINGER_MS);
    if (to.closed) clearTimeout(linger);
    else to.once("close", () => clearTimeout(linger));
  });
  from.on("end", () => from.destroy());
  from.pipe(to, { end: false });
}
