import { GridError } from "../../core/errors.ts";
import { gatewayProblems } from "../problems.ts";

/** Returns the problem for a capture without data. `expected` names a request that returns data. */
export function emptyCapture(kind: string, expected: string): GridError {
  return new GridError(
    gatewayProblems.browser_refused,
    `Cannot capture the page: the browser returned an empty ${kind}, expected ${expected}`,
  );
}
