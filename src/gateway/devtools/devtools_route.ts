import { z } from "@hono/zod-openapi";
import { declareRoute } from "../../http/auth/access.ts";
import type { AnyProblem } from "../../core/errors.ts";
import { problemResponses } from "../../http/router.ts";
import { sessionProblems } from "../../apps/sessions/problems.ts";
import { gatewayProblems } from "../problems.ts";

/** Properties that all routes to a session's browser share. */
export const devtoolsRoute = {
  ...declareRoute({ roles: ["client"], connectTokenParam: "id" }),
  tags: ["Connect"],
  description: "Waits for a session that has not started yet.",
  request: {
    params: z.object({ id: z.string().describe("Id of a session") }),
  },
};

/** Returns the problem responses of such a route: the common ones and `codes`. */
export function devtoolsProblems(
  ...codes: readonly AnyProblem[]
): ReturnType<typeof problemResponses> {
  return problemResponses(
    sessionProblems.session_not_found,
    sessionProblems.session_not_running,
    sessionProblems.session_ended,
    sessionProblems.session_failed,
    gatewayProblems.worker_unreachable,
    gatewayProblems.browser_refused,
    ...codes,
  );
}

/**
 * Returns a route and its hidden variants: the same under `aliases`, and each path with a trailing slash, as Playwright
 * requests it.
 */
export function createRouteVariants<R extends { readonly path: string }>(
  route: R,
  ...aliases: readonly string[]
): readonly R[] {
  const paths = [route.path, ...aliases].flatMap((path) => [path, `${path}/`]);
  return paths.map((path) => ({ ...route, path, hide: path !== route.path }));
}
