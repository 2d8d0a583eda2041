import { z } from "@hono/zod-openapi";
import type { EventTypes } from "../../../../core/app.ts";
import type { Caller } from "../../../../core/caller.ts";
import { findOwnerLimit } from "../../../../http/auth/access.ts";
import { labelFilterSchema } from "../../../sessions/schemas/labels.ts";
import type { EventFilter } from "../../event.ts";
import { renderPatternRule, selectTypes } from "../../type_pattern.ts";

const TYPE_PATTERN = /^(\*|[a-z0-9_]+)(\.(\*|[a-z0-9_]+))*$/;

/** Start of a time in ISO 8601. */
const TIME = /^[+-]?\d{4,6}-\d\d-\d\dT/;

/** Maximum number of patterns in a query. */
const MAX_PATTERNS = 50;

const idSchema = z.string().min(1).max(100).optional();

/** The values of the query parameters that select events. */
interface FilterQuery {
  readonly type?: readonly string[] | undefined;
  readonly session_id?: string | undefined;
  readonly work_pool_id?: string | undefined;
  readonly worker_id?: string | undefined;
  readonly label?: readonly [string, string] | undefined;
  readonly since?: number | undefined;
}

/** Schemas of the query parameters that select events. */
type FilterParameters = {
  readonly [K in keyof Required<FilterQuery>]: z.ZodType<FilterQuery[K]>;
};

/** Returns the query parameters that select events of `types`. */
export function createFilterParameters(types: EventTypes): FilterParameters {
  return {
    type: z.string().max(2_000).transform((text) => text.split(",")).pipe(
      z.array(
        z.string().regex(
          TYPE_PATTERN,
          'expected a type or a pattern such as "session.*"',
        ),
      ).max(MAX_PATTERNS),
    ).optional().openapi({
      type: "string",
      pattern: renderPatternRule(types),
      example: "session.*,worker.offline",
      description:
        "Types, separated by commas. * stands for one name between dots, and at the end for all the rest",
    }),
    session_id: idSchema.describe("Id of a session"),
    work_pool_id: idSchema.describe("Id of a work pool"),
    worker_id: idSchema.describe("Id of a worker"),
    label: labelFilterSchema,
    since: z.string().regex(
      TIME,
      "expected a time such as 2026-11-24T10:15:00Z",
    )
      .transform(Date.parse).refine(Number.isFinite, "expected a time")
      .optional()
      .openapi({
        type: "string",
        format: "date-time",
        description: "Only events from this time on",
      }),
  };
}

/**
 * Returns the filter of a query, limited to the events that `caller` may read: a client's own sessions.
 *
 * @throws {GridError} `invalid_request` - a pattern matches no type.
 */
export function toEventFilter(
  { type, session_id, work_pool_id, worker_id, label, since }: FilterQuery,
  { caller, types }: { readonly caller: Caller; readonly types: EventTypes },
): EventFilter {
  return {
    owner: findOwnerLimit(caller),
    types: type && selectTypes(type, types),
    sessionId: session_id,
    workPoolId: work_pool_id,
    workerId: worker_id,
    label,
    since,
  };
}
