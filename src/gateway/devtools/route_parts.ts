import { z } from "@hono/zod-openapi";
import { access } from "../../http/auth/access.ts";
import type { ErrorCode } from "../../core/errors.ts";
import { refusals } from "../../http/router.ts";

/** What every route to a session's browser says of itself. */
export const onBrowser = {
  ...access("client"),
  tags: ["Connect"],
  description: "Waits for a session that has not started yet.",
  request: {
    params: z.object({ id: z.string().describe("Id of a session") }),
  },
};

/** Refusals of such a route: those of every one, and its own. */
export function refusalsOfBrowser(
  ...codes: readonly ErrorCode[]
): ReturnType<typeof refusals> {
  return refusals(
    "session_not_found",
    "session_not_running",
    "session_ended",
    "session_failed",
    "worker_unreachable",
    "browser_refused",
    ...codes,
  );
}
