import { Option } from "@commander-js/extra-typings";
import type { PoolPatch } from "../apps/workerpool/schemas.ts";
import { BROWSERS, OPERATING_SYSTEMS } from "../core/browser_spec.ts";
import { UsageError } from "./help.ts";
import { suggested } from "./suggested.ts";

/** How an option's text becomes a pool's field. */
interface Field {
  readonly flag: string;
  readonly what: string;
  readonly field: keyof PoolPatch;
  /** Text stays text without it. */
  readonly isJson?: boolean;
  /** Usual values. */
  readonly values?: readonly string[];
}

const FIELDS: readonly Field[] = [
  {
    flag: "--description <text>",
    what: "what it is for",
    field: "description",
  },
  {
    flag: "--priority <number>",
    what: "higher ones are preferred",
    field: "priority",
    isJson: true,
  },
  {
    flag: "--browser <name>",
    what: "browser of sessions that name none",
    field: "default_browser",
    values: BROWSERS,
  },
  {
    flag: "--browser-version <version>",
    what: "its version",
    field: "default_browser_version",
  },
  {
    flag: "--headless <true|false>",
    what: "whether it has no window",
    field: "default_headless",
    isJson: true,
    values: ["true", "false"],
  },
  {
    flag: "--operating-system <name>",
    what: "system of sessions that name none",
    field: "default_operating_system",
    values: OPERATING_SYSTEMS,
  },
  {
    flag: "--screen <json>",
    what: 'such as {"width":1280,"height":720}',
    field: "default_screen",
    isJson: true,
  },
  {
    flag: "--proxy <json>",
    what: 'such as {"proxy_url":"http://proxy.example:3128"}',
    field: "default_proxy",
    isJson: true,
  },
  {
    flag: "--environment <json>",
    what: 'variables of the browser, such as {"TZ":"UTC"}',
    field: "default_environment",
    isJson: true,
  },
  {
    flag: "--resource-limits <json>",
    what: 'such as {"cpu":1,"memory":"2G"}',
    field: "default_resource_limits",
    isJson: true,
  },
  {
    flag: "--max-sessions <number>",
    what: "sessions at once",
    field: "max_sessions",
    isJson: true,
  },
  {
    flag: "--max-queue <number>",
    what: "sessions that may wait",
    field: "max_queue",
    isJson: true,
  },
  {
    flag: "--min-ready <number>",
    what: "browsers kept warm",
    field: "min_ready",
    isJson: true,
  },
  {
    flag: "--min-workers <number>",
    what: "workers that should be there",
    field: "min_workers",
    isJson: true,
  },
  {
    flag: "--max-workers <number>",
    what: "workers that may register",
    field: "max_workers",
    isJson: true,
  },
  {
    flag: "--max-sessions-per-worker <number>",
    what: "sessions of one worker",
    field: "max_sessions_per_worker",
    isJson: true,
  },
  {
    flag: "--max-timeout-minutes <number>",
    what: "longest life of a session",
    field: "max_timeout_minutes",
    isJson: true,
  },
];

/** For changes only: of a new pool it is given option by option. */
const PROVIDER_CONFIG: Field = {
  flag: "--provider-config <json>",
  what: "configuration of its provider, whole",
  field: "provider_config",
  isJson: true,
};

/** The options of a change of a pool. */
export function poolChangeOptions(): readonly Option[] {
  return [...FIELDS, PROVIDER_CONFIG].map(optionOf);
}

/** The options of a new pool's own fields. @param taken Names that the provider's options have. */
export function poolFieldOptions(taken: readonly string[]): readonly Option[] {
  return FIELDS.filter(({ flag }) => !taken.includes(nameOf(flag))).map(
    optionOf,
  );
}

function optionOf({ flag, what, values }: Field): Option {
  return values ? suggested(flag, what, values) : new Option(flag, what);
}

/** The fields that were given. @throws {Error} If a value is no JSON where it must be. */
export function poolFields(
  given: Readonly<Record<string, unknown>>,
): PoolPatch {
  const entries = [...FIELDS, PROVIDER_CONFIG].flatMap((
    { flag, field, isJson },
  ) => {
    const option = new Option(flag).attributeName();
    const text = given[option];
    if (typeof text !== "string") return [];
    return [[field, isJson ? parsed(flag, text) : text]];
  });
  return Object.fromEntries(entries);
}

function nameOf(flag: string): string {
  return flag.replace(/^--([\w-]+).*$/, "$1").replaceAll("-", "_");
}

function parsed(flag: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(
      `Cannot use ${flag}: "${text}" is not such a value`,
    );
  }
}
