import { z } from "zod";
import { defineOptions, flag, text } from "../options/option_types.ts";
import { clientOptions } from "../options/shared_options.ts";

const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Maximum number of events that are listed. */
const MAX_LIMIT = 10_000;

/** Values of the options of `browsergrid events`. */
export type EventOptions = z.output<ReturnType<typeof declareEventOptions>>;

/** Declares the options of `browsergrid events`. */
export const declareEventOptions = defineOptions(() =>
  z.object({
    ...clientOptions(),
    follow: flag("-f, --follow", "then print events as they happen"),
    type: text(
      "--type <types>",
      "types or patterns such as session.*, with commas between",
    ),
    session: text("--session <id>", "of this session"),
    pool: text("--pool <pool>", "of this work pool: id or name"),
    worker: text("--worker <id>", "of this worker"),
    label: text("--label <name=value>", "of sessions with this label"),
    since: z.string().transform(parseSince).optional().meta({
      flags: "--since <time>",
      description: "from this time on: 30m, 2h, 7d or ISO 8601",
    }),
    limit: z.coerce.number(LIMIT).int(LIMIT).min(0, LIMIT).max(MAX_LIMIT, LIMIT)
      .prefault(50).meta({
        flags: "--limit <number>",
        description: "the last of those that are recorded",
      }),
  })
);

const LIMIT = `expected a whole number from 0 to ${MAX_LIMIT}`;

/** Parses a time, or the duration since then, to ISO 8601. */
function parseSince(text: string, context: z.RefinementCtx): string {
  const [, count = "", unit = ""] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const ms = Object.entries(UNITS).find(([name]) => name === unit)?.[1];
  const time = ms === undefined
    ? parseTime(text)
    : Date.now() - Number(count) * ms;
  if (Number.isFinite(time)) return new Date(time).toISOString();
  context.addIssue("expected a time such as 2h or 2026-11-24T10:15:00Z");
  return z.NEVER;
}

function parseTime(text: string): number {
  return /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN;
}
