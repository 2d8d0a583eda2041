import { z } from "@hono/zod-openapi";
import type { PoolPatch } from "../../apps/workerpool/schemas.ts";
import { POOL_EGRESS } from "../../apps/workerpool/status.ts";
import { BROWSERS, OPERATING_SYSTEMS } from "../../core/browser_spec.ts";
import { INLINE, toOptionName } from "../options/schema_options.ts";
import { parseScreen, SCREEN_EXAMPLE } from "../options/screen.ts";

/** A field of a pool as an option. */
interface Field {
  readonly flag: string;
  readonly description: string;
  readonly field: keyof PoolPatch;
  /** Parses the text of the option. @default The field is the text. */
  readonly parse?: (text: string, context: z.RefinementCtx) => unknown;
  readonly suggestions?: readonly string[];
}

const FIELDS: readonly Field[] = [
  {
    flag: "--description <text>",
    description: "purpose of the pool",
    field: "description",
  },
  {
    flag: "--priority <number>",
    description: "higher ones are preferred",
    field: "priority",
    parse: parseJson,
  },
  {
    flag: "--browser <name>",
    description: "browser of sessions that name none",
    field: "default_browser",
    suggestions: BROWSERS,
  },
  {
    flag: "--browser-version <version>",
    description: "its version",
    field: "default_browser_version",
  },
  {
    flag: "--headless <true|false>",
    description: "whether it has no window",
    field: "default_headless",
    parse: parseJson,
    suggestions: ["true", "false"],
  },
  {
    flag: "--operating-system <name>",
    description: "system of sessions that name none",
    field: "default_operating_system",
    suggestions: OPERATING_SYSTEMS,
  },
  {
    flag: "--screen <size>",
    description: SCREEN_EXAMPLE,
    field: "default_screen",
    parse: parseScreen,
  },
  {
    flag: "--proxy <json>",
    description: 'such as {"proxy_url":"http://proxy.example:3128"}',
    field: "default_proxy",
    parse: parseJson,
  },
  {
    flag: "--environment <json>",
    description: 'variables of the browser, such as {"TZ":"UTC"}',
    field: "default_environment",
    parse: parseJson,
  },
  {
    flag: "--resource-limits <json>",
    description: 'such as {"cpu":1,"memory":"2G"}',
    field: "default_resource_limits",
    parse: parseJson,
  },
  {
    flag: "--max-sessions <number>",
    description: "sessions at once",
    field: "max_sessions",
    parse: parseJson,
  },
  {
    flag: "--max-queue <number>",
    description: "sessions that may wait",
    field: "max_queue",
    parse: parseJson,
  },
  {
    flag: "--min-ready <number>",
    description: "browsers kept warm",
    field: "min_ready",
    parse: parseJson,
  },
  {
    flag: "--ready-max-age-minutes <number>",
    description: "age at which a warm browser is replaced",
    field: "ready_max_age_minutes",
    parse: parseJson,
  },
  {
    flag: "--allowed-arguments <list>",
    description:
      "arguments that sessions may pass to their browsers, such as --lang,--force-*; default: harmless ones",
    field: "allowed_arguments",
    parse: parseArgumentList,
    suggestions: ["default", "none"],
  },
  {
    flag: "--egress <mode>",
    description: "networks that sessions may reach",
    field: "egress",
    suggestions: POOL_EGRESS,
  },
  {
    flag: "--egress-allow <list>",
    description:
      "networks and hosts that they may reach in every mode, such as 10.1.0.0/16,*.example.test:443",
    field: "egress_allow",
    parse: parseList,
    suggestions: ["none"],
  },
  {
    flag: "--min-workers <number>",
    description: "workers that should be online",
    field: "min_workers",
    parse: parseJson,
  },
  {
    flag: "--max-workers <number>",
    description: "workers that may register",
    field: "max_workers",
    parse: parseJson,
  },
  {
    flag: "--max-sessions-per-worker <number>",
    description: "sessions of one worker",
    field: "max_sessions_per_worker",
    parse: parseJson,
  },
  {
    flag: "--max-timeout-minutes <number>",
    description: "longest life of a session",
    field: "max_timeout_minutes",
    parse: parseJson,
  },
];

/** An option of changes only: a new pool has an option for each member. */
const PROVIDER_CONFIG: Field = {
  flag: "--provider-config <json>",
  description: "whole configuration of its provider",
  field: "provider_config",
  parse: parseJson,
};

const ALL_FIELDS = [...FIELDS, PROVIDER_CONFIG];

/** Declares the options of a change of a pool. */
export function poolChangeOptions(): z.ZodObject {
  return declareFields(ALL_FIELDS);
}

/** Declares the options of a new pool's fields. @param taken Names of options that the provider has. */
export function poolFieldOptions(taken: readonly string[]): z.ZodObject {
  return declareFields(
    FIELDS.filter(({ flag }) => !taken.includes(toOptionName(flag))),
  );
}

/** Returns the fields of a pool from the values of their options. */
export function toPoolFields(
  values: Readonly<Record<string, unknown>>,
): PoolPatch {
  const entries = ALL_FIELDS.flatMap(({ flag, field }) => {
    const value = values[toOptionName(flag)];
    return value === undefined ? [] : [[field, value]];
  });
  return Object.fromEntries(entries);
}

function declareFields(fields: readonly Field[]): z.ZodObject {
  const entries = fields.map((
    { flag, description, suggestions, parse = (text) => text },
  ) => {
    const schema = z.string().transform(parse).optional();
    const meta = { flags: flag, description, suggestions };
    return [toOptionName(flag), schema.meta(meta)] as const;
  });
  return z.object(Object.fromEntries(entries)).meta(INLINE);
}

function parseJson(text: string, context: z.RefinementCtx): unknown {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue("expected a value as JSON, such as 5, true or null");
    return z.NEVER;
  }
}

function parseArgumentList(text: string): readonly string[] | null {
  return text === "default" || text === "null" ? null : parseList(text);
}

function parseList(text: string): readonly string[] {
  return text === "none" ? [] : text.split(",").map((entry) => entry.trim());
}
