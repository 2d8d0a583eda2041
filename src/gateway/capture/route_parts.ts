import { z } from "@hono/zod-openapi";
import { devtoolsProblems, devtoolsRoute } from "../devtools/route_parts.ts";
import { targetIdSchema } from "../devtools/target_id.ts";
import { gatewayProblems } from "../problems.ts";

/** What every route that shows a page says of itself. */
export const captureRoute = {
  ...devtoolsRoute,
  tags: ["Capture"],
  method: "get" as const,
};

/** The part of a query that says which page. */
export const pageQuerySchema = z.object({
  target_id: targetIdSchema.optional().openapi({
    description:
      "Id of a page, as in /cdp/json/list; by default the one that was used last",
    example: "36CD91EC19BF97E044B0920CEB230779",
  }),
});

/** What such a route may refuse. */
export function captureProblems(): ReturnType<typeof devtoolsProblems> {
  return devtoolsProblems(
    gatewayProblems.target_not_found,
    gatewayProblems.browser_timeout,
  );
}
