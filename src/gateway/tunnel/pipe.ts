import type { Duplex } from "node:stream";

/** How long the other side may take to read its last bytes. */
const LINGER_MS = 2_000;

/** Copies bytes both ways until either side ends; the end of one is the end of both. */
export function joinBytes(one: Duplex, other: Duplex): void {
  copy(one, other);
  copy(other, one);
}

function copy(from: Duplex, to: Duplex): void {
  from.on("error", () => from.destroy());
  from.on("close", () => {
    // What it has sent before still arrives.
    to.end(() => to.destroy());
    const linger = setTimeout(() => to.destroy(), LINGER_MS);
    if (to.closed) clearTimeout(linger);
    else to.once("close", () => clearTimeout(linger));
  });
  from.on("end", () => from.destroy());
  from.pipe(to, { end: false });
}
