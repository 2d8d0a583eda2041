import { z } from "@hono/zod-openapi";
import { GridError } from "../../core/errors.ts";
import { gatewayProblems } from "../problems.ts";

/** An id that leads nowhere else in a path. Chrome's are hexadecimal, its browser's a UUID. */
const TARGET_ID = /^[A-Za-z0-9-]{1,128}$/;

/** A page, or something else that is open in a browser, as `…/cdp/json/list` has it. */
export const targetIdSchema: z.ZodString = z.string().openapi({
  description: "Id of a page, or of a worker, as in /cdp/json/list",
  example: "36CD91EC19BF97E044B0920CEB230779",
});

/**
 * `id`, which may stand in a path at the browser.
 *
 * @throws {GridError} `target_not_found` — if it is no target's.
 */
export function checkTargetId(id: string): string {
  if (TARGET_ID.test(id)) return id;
  throw targetNotFound(`"${id.slice(0, 128)}" is no target's id`);
}

/** The refusal when a browser has no such target. */
export function targetNotFound(
  words: string,
  options?: ErrorOptions,
): GridError {
  return new GridError(
    gatewayProblems.target_not_found,
    `Cannot find the page: ${words}, expected one that is open: see /cdp/json/list of the session`,
    {},
    options,
  );
}
