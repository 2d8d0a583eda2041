import { z } from "zod";
import {
  type WebhookBody,
  webhookInputSchema,
} from "../../apps/webhooks/schemas.ts";
import type { WebhookPatchBody } from "../../client/client.ts";
import { INLINE, toOptionName } from "../options/schema_options.ts";

/** An option that sets a field of a webhook. */
interface SetOption {
  readonly flags: string;
  readonly field: keyof WebhookBody;
  readonly schema: z.ZodType;
  readonly help: string;
  readonly suggestions?: readonly string[];
}

const templateSchema = webhookInputSchema.shape.template.unwrap();

const NUMBER = "expected a whole number";

const numberSchema = z.string().regex(/^-?\d{1,9}$/, NUMBER).transform(Number);

const limitSchema = z.union([z.literal("null"), numberSchema], NUMBER)
  .transform((value) => value === "null" ? null : value);

const flagSchema = z.enum(["true", "false"]).transform((text) =>
  text === "true"
);

const pairsSchema = z.array(
  z.string().regex(/^[^=]+=/, "expected NAME=VALUE"),
).transform((texts): Record<string, string> =>
  Object.fromEntries(texts.map((text) => {
    const at = text.indexOf("=");
    return [text.slice(0, at), text.slice(at + 1)];
  }))
);

const filtersSchema = z.array(z.string().transform(parseFilter));

/** The options of new webhooks and of changes. */
const SHARED: readonly SetOption[] = [
  {
    flags: "--url <url>",
    field: "url",
    schema: z.string(),
    help: "URL that receives the events: https, of a public address",
  },
  {
    flags: "--event-pattern <pattern>",
    field: "event_pattern",
    schema: z.string(),
    help:
      "types of events: session.*, session.failed, *, or browser events such as cdp:Page.loadEventFired",
  },
  {
    flags: "--filter <filter...>",
    field: "filters",
    schema: filtersSchema,
    help:
      'only browser events that match: "PATH OPERATOR VALUE", such as "params.response.status ge 400"',
  },
  {
    flags: "--queue-longer-than <number>",
    field: "queue_longer_than",
    schema: limitSchema,
    help: "with pool.queue_long: sessions that may wait in a work pool",
  },
  {
    flags: "--label <name=value...>",
    field: "labels",
    schema: pairsSchema,
    help: "only events of sessions with all these labels",
  },
  {
    flags: "--description <text>",
    field: "description",
    schema: z.string(),
    help: "text for people",
  },
  {
    flags: "--header <name=value...>",
    field: "headers",
    schema: pairsSchema,
    help: "headers of each request, such as Authorization='Bearer x'",
  },
  {
    flags: "--timeout-seconds <number>",
    field: "timeout_seconds",
    schema: numberSchema,
    help: "time within which the receiver must respond (10)",
  },
  {
    flags: "--max-attempts <number>",
    field: "max_attempts",
    schema: numberSchema,
    help: "attempts before a delivery has failed (8)",
  },
  {
    flags: "--include-connect-url <true|false>",
    field: "include_connect_url",
    schema: flagSchema,
    help: "send the connect URL, which contains a token, of running sessions",
    suggestions: ["true", "false"],
  },
  {
    flags: "--active <true|false>",
    field: "active",
    schema: flagSchema,
    help: "false: record no events for it, and let its deliveries wait",
    suggestions: ["true", "false"],
  },
];

/** The options of new webhooks only. */
const CREATE: readonly SetOption[] = [
  {
    flags: "--template <name>",
    field: "template",
    schema: templateSchema,
    help: "events and filters for a purpose, instead of --event-pattern",
    suggestions: templateSchema.options,
  },
  {
    flags: "--session <id>",
    field: "session_id",
    schema: z.string(),
    help: "only events of this session",
  },
  {
    flags: "--pool <pool>",
    field: "work_pool_id",
    schema: z.string(),
    help: "only events of this work pool: id or name",
  },
];

/** The options of changes only. */
const CHANGE: readonly SetOption[] = [
  {
    flags: "--name <name>",
    field: "name",
    schema: z.string(),
    help: "new name",
  },
];

/** Declares the options that set the fields of a new webhook. */
export function declareCreateOptions(): z.ZodObject {
  return declareOptions([...SHARED.slice(0, 2), ...CREATE, ...SHARED.slice(2)]);
}

/** Declares the options that change a webhook. */
export function declareChangeOptions(): z.ZodObject {
  return declareOptions([...CHANGE, ...SHARED]);
}

/** Returns the fields of a webhook from the values of their options. */
export function toWebhookFields(
  values: Readonly<Record<string, unknown>>,
): WebhookPatchBody {
  const entries = [...CHANGE, ...SHARED, ...CREATE].flatMap(
    ({ flags, field }) => {
      const value = values[toOptionName(flags)];
      return value === undefined ? [] : [[field, value]];
    },
  );
  return Object.fromEntries(entries);
}

function declareOptions(options: readonly SetOption[]): z.ZodObject {
  const entries = options.map(({ flags, schema, help, suggestions }) => {
    const meta = { flags, description: help, suggestions };
    return [toOptionName(flags), schema.optional().meta(meta)] as const;
  });
  return z.object(Object.fromEntries(entries)).meta(INLINE);
}

/** Parses `PATH OPERATOR VALUE`. The server checks the parts; a value that is no JSON is text. */
function parseFilter(text: string, context: z.RefinementCtx) {
  const [, path, operator, value = ""] =
    /^(\S+)\s+(\S+)\s+(.*)$/s.exec(text.trim()) ?? [];
  if (path !== undefined) return { path, operator, value: parseValue(value) };
  context.addIssue(
    'expected PATH OPERATOR VALUE, such as "params.response.status ge 400"',
  );
  return z.NEVER;
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
