import { GridError } from "../core/errors.ts";

/** The refusal of who comes while the server stops. */
export function shuttingDown(): GridError {
  return new GridError(
    "shutting_down",
    "Cannot connect: the server is stopping, expected one that runs; try again",
  );
}
