import { lookup } from "node:dns/promises";
import { abortable } from "../../../async/abortable.ts";
import { Semaphore } from "../../../async/semaphore.ts";

/** Maximum number of concurrent lookups: each blocks a thread of the process until the resolver responds. */
const MAX_LOOKUPS = 8;

const lookups = new Semaphore(MAX_LOOKUPS);

/** Resolves a name by the system's resolver. An aborted lookup keeps its place until it has ended. */
export async function resolveName(
  name: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const place = await lookups.acquire(signal);
  const found = lookup(name, { all: true }).finally(() =>
    place[Symbol.dispose]()
  );
  const addresses = await abortable(found, signal);
  return addresses.map(({ address }) => address);
}
