import { z } from "@hono/zod-openapi";
import { GridError } from "../../core/errors.ts";
import { gatewayProblems } from "../problems.ts";

/** Ids that cannot change the path they are part of. Ids of pages are hexadecimal, a browser's id is a UUID. */
const TARGET_ID = /^[A-Za-z0-9-]{1,128}$/;

/** Id of a target of a browser: a page, a worker or another type that `/cdp/json/list` returns. */
export const targetIdSchema: z.ZodString = z.string().openapi({
  description: "Id of a page or a worker, as in /cdp/json/list",
  example: "36CD91EC19BF97E044B0920CEB230779",
});

/**
 * Returns `id` if it is valid and can be part of a path at the browser.
 *
 * @throws {GridError} `target_not_found`.
 */
export function checkTargetId(id: string): string {
  if (TARGET_ID.test(id)) return id;
  throw targetNotFound(`"${id.slice(0, 128)}" is not the id of a target`);
}

/** Returns the problem for a target that the browser does not have. `reason` completes the message. */
export function targetNotFound(
  reason: string,
  options?: ErrorOptions,
): GridError {
  return new GridError(
    gatewayProblems.target_not_found,
    `Cannot find the page: ${reason}, expected an open page: see /cdp/json/list of the session`,
    {},
    options,
  );
}
