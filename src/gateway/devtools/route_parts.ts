import { z } from "@hono/zod-openapi";
import { access } from "../../http/auth/access.ts";
import type { AnyProblem } from "../../core/errors.ts";
import { refusals } from "../../http/router.ts";
import { sessionProblems } from "../../apps/sessions/problems.ts";
import { gatewayProblems } from "../problems.ts";

/** What every route to a session's browser says of itself. */
export const devtoolsRoute = {
  ...access("client"),
  tags: ["Connect"],
  description: "Waits for a session that has not started yet.",
  request: {
    params: z.object({ id: z.string().describe("Id of a session") }),
  },
};

/** Refusals of such a route: those of every one, and its own. */
export function devtoolsProblems(
  ...codes: readonly AnyProblem[]
): ReturnType<typeof refusals> {
  return refusals(
    sessionProblems.session_not_found,
    sessionProblems.session_not_running,
    sessionProblems.session_ended,
    sessionProblems.session_failed,
    gatewayProblems.worker_unreachable,
    gatewayProblems.browser_refused,
    ...codes,
  );
}
