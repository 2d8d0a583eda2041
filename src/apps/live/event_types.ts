import { z } from "@hono/zod-openapi";
import type { EventType } from "../../core/app.ts";
import { LINK_MODES } from "./status.ts";

const link = z.looseObject({
  link_id: z.string(),
  mode: z.enum(LINK_MODES).describe(
    "view: to watch the browser. control: also to take control of it",
  ),
  expires_at: z.string().describe("End of the link, ISO 8601"),
});

/** Types of the events of links to the live view. They never contain the token. */
export const LIVE_EVENT_TYPES = {
  "live_link.created": {
    description: "A link to the live view of a session was created",
    data: link.extend({
      created_by: z.string().describe("Id of the caller that created it"),
    }),
  },
  "live_link.revoked": {
    description: "A link to the live view of a session was revoked",
    data: link.extend({
      revoked_by: z.string().describe("Id of the caller that revoked it"),
    }),
  },
} as const satisfies Readonly<Record<string, EventType>>;

/** Type of an event of a link to the live view. */
export type LiveEventType = keyof typeof LIVE_EVENT_TYPES;
