/** Units of the statistics of processes. */
export interface SystemUnits {
  readonly pageBytes: number;
  readonly ticksPerSecond: number;
}

/** Types of entries of the auxiliary vector. */
const PAGE_SIZE = 6n;
const CLOCK_TICKS = 17n;

let units: SystemUnits | undefined;

/**
 * Returns the units of this machine, 4,096 bytes and 100 ticks on most. Reads a file at the first call. Linux only.
 *
 * @see {@link https://man7.org/linux/man-pages/man3/getauxval.3.html getauxval(3)}
 */
export function readSystemUnits(): SystemUnits {
  return units ??= parseUnits(readVector());
}

function readVector(): BigUint64Array {
  try {
    return new BigUint64Array(
      Deno.readFileSync("/proc/self/auxv").slice().buffer,
    );
  } catch {
    return new BigUint64Array();
  }
}

/** Returns the units in an auxiliary vector of pairs of type and value, and the usual ones where it has none. */
export function parseUnits(vector: BigUint64Array): SystemUnits {
  const values = new Map<bigint, number>();
  for (let at = 0; at + 1 < vector.length; at += 2) {
    values.set(vector[at] ?? 0n, Number(vector[at + 1]));
  }
  return {
    pageBytes: values.get(PAGE_SIZE) ?? 4_096,
    ticksPerSecond: values.get(CLOCK_TICKS) ?? 100,
  };
}
