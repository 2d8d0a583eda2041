import type { Pressure } from "../../../client/client.ts";

/** Longest pause that the infrastructure can request after a failure. Later, the server has tried again. */
const MAX_AGE_MS = 60 * 60_000;

type Load = Pick<Pressure, "machines" | "wanted_workers" | "workers_online">;

/** A failure of a machine. */
export type MachineFailure = NonNullable<
  NonNullable<Pressure["machines"]>["last_failure"]
>;

/** Returns the last failure of the pool's machines if the pool still has fewer workers than it needs. */
export function findCurrentFailure(
  { machines, wanted_workers, workers_online }: Load,
  now: number,
): MachineFailure | undefined {
  const failure = machines?.last_failure;
  if (!failure || workers_online >= wanted_workers) return undefined;
  return now - Date.parse(failure.at) < MAX_AGE_MS ? failure : undefined;
}
