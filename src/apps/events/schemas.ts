import { z } from "@hono/zod-openapi";
import type { EventTypes } from "../../core/app.ts";
import type { SchemaOutput } from "../../core/schema.ts";
import { eventExample } from "./examples.ts";

const eventFields = {
  sequence: z.int().describe(
    "Number in the order in which events were recorded, with gaps",
  ),
  type: z.string(),
  session_id: z.string().nullable(),
  work_pool_id: z.string().nullable(),
  worker_id: z.string().nullable(),
  owner: z.string().nullable().describe(
    "Owner of the session, or of the webhook of its event",
  ),
  data: z.record(z.string(), z.unknown()),
  timestamp: z.iso.datetime(),
};

/** An event of any type in responses. */
export const eventSchema = z.object(eventFields);

/** Types of the schemas in this file, from which the types below derive. */
export type EventSchemas = typeof import("./schemas.ts");

/** An event in responses. */
export type EventWire = SchemaOutput<EventSchemas["eventSchema"]>;

/** Returns the schema of an event of one of `types`, for the API description: a component for each type. */
export function createEventSchema(types: EventTypes): z.ZodType<EventWire> {
  const [first, ...others] = Object.entries(types).map((
    [type, { description, data }],
  ) =>
    z.object({ ...eventFields, type: z.literal(type), data })
      .openapi(toComponentName(type), { description })
  );
  if (!first) return eventSchema;
  return z.discriminatedUnion("type", [first, ...others]).openapi("Event", {
    description:
      "An event, distinguished by its type. Later versions add types and members of data",
    examples: [eventExample],
  });
}

/** Returns the name of the component of a type: `SessionRunningEvent`. */
function toComponentName(type: string): string {
  const words = type.split(/[._]/).map((word) =>
    word.slice(0, 1).toUpperCase() + word.slice(1)
  );
  return `${words.join("")}Event`;
}
