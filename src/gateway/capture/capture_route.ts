import { access } from "../../http/auth/access.ts";
import { z } from "@hono/zod-openapi";
import { devtoolsProblems, devtoolsRoute } from "../devtools/devtools_route.ts";
import { targetIdSchema } from "../devtools/target_id.ts";
import { gatewayProblems } from "../problems.ts";

/** Properties that all capture routes share. */
export const captureRoute = {
  ...devtoolsRoute,
  ...access("client"),
  tags: ["Capture"],
  method: "get" as const,
};

/** Query parameter that selects the page. */
export const pageQuerySchema = z.object({
  target_id: targetIdSchema.optional().openapi({
    description:
      "Id of a page, as in /cdp/json/list; by default the page that was used last",
    example: "36CD91EC19BF97E044B0920CEB230779",
  }),
});

/** Returns the problem responses of a capture route. */
export function captureProblems(): ReturnType<typeof devtoolsProblems> {
  return devtoolsProblems(
    gatewayProblems.target_not_found,
    gatewayProblems.browser_timeout,
  );
}
