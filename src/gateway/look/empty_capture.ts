import { GridError } from "../../core/errors.ts";

/** Returns the rejection of a capture for which the browser has sent no data. `expected` says what gives some. */
export function emptyCapture(kind: string, expected: string): GridError {
  return new GridError(
    "browser_refused",
    `Cannot capture the page: the browser returned an empty ${kind}, expected ${expected}`,
  );
}
