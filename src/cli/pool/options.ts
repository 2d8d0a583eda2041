import { Option } from "@commander-js/extra-typings";
import type { PoolPatch } from "../../apps/workerpool/schemas.ts";
import { POOL_EGRESS } from "../../apps/workerpool/status.ts";
import { BROWSERS, OPERATING_SYSTEMS } from "../../core/browser_spec.ts";
import { UsageError } from "../help.ts";
import { parseScreen, SCREEN_EXAMPLE } from "../options/screen.ts";
import { suggested } from "../options/suggested.ts";

/** How an option's text becomes a pool's field. */
interface Field {
  readonly flag: string;
  readonly what: string;
  readonly field: keyof PoolPatch;
  /** What the text means. @default It stays text. */
  readonly read?: (text: string, flag: string) => unknown;
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
    read: json,
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
    read: json,
    values: ["true", "false"],
  },
  {
    flag: "--operating-system <name>",
    what: "system of sessions that name none",
    field: "default_operating_system",
    values: OPERATING_SYSTEMS,
  },
  {
    flag: "--screen <size>",
    what: SCREEN_EXAMPLE,
    field: "default_screen",
    read: parseScreen,
  },
  {
    flag: "--proxy <json>",
    what: 'such as {"proxy_url":"http://proxy.example:3128"}',
    field: "default_proxy",
    read: json,
  },
  {
    flag: "--environment <json>",
    what: 'variables of the browser, such as {"TZ":"UTC"}',
    field: "default_environment",
    read: json,
  },
  {
    flag: "--resource-limits <json>",
    what: 'such as {"cpu":1,"memory":"2G"}',
    field: "default_resource_limits",
    read: json,
  },
  {
    flag: "--max-sessions <number>",
    what: "sessions at once",
    field: "max_sessions",
    read: json,
  },
  {
    flag: "--max-queue <number>",
    what: "sessions that may wait",
    field: "max_queue",
    read: json,
  },
  {
    flag: "--min-ready <number>",
    what: "browsers kept warm",
    field: "min_ready",
    read: json,
  },
  {
    flag: "--ready-max-age-minutes <number>",
    what: "age at which one that is kept warm is replaced",
    field: "ready_max_age_minutes",
    read: json,
  },
  {
    flag: "--allowed-arguments <list>",
    what:
      "what sessions may give their browsers, such as --lang,--force-*; default: harmless ones",
    field: "allowed_arguments",
    read: argumentList,
    values: ["default", "none"],
  },
  {
    flag: "--egress <mode>",
    what: "networks that sessions may reach",
    field: "egress",
    values: POOL_EGRESS,
  },
  {
    flag: "--egress-allow <list>",
    what:
      "networks and hosts that they may reach in every mode, such as 10.1.0.0/16,*.example.test:443",
    field: "egress_allow",
    read: entryList,
    values: ["none"],
  },
  {
    flag: "--min-workers <number>",
    what: "workers that should be there",
    field: "min_workers",
    read: json,
  },
  {
    flag: "--max-workers <number>",
    what: "workers that may register",
    field: "max_workers",
    read: json,
  },
  {
    flag: "--max-sessions-per-worker <number>",
    what: "sessions of one worker",
    field: "max_sessions_per_worker",
    read: json,
  },
  {
    flag: "--max-timeout-minutes <number>",
    what: "longest life of a session",
    field: "max_timeout_minutes",
    read: json,
  },
];

/** For changes only: of a new pool it is given option by option. */
const PROVIDER_CONFIG: Field = {
  flag: "--provider-config <json>",
  what: "configuration of its provider, whole",
  field: "provider_config",
  read: json,
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

/** The fields that were given. @throws {UsageError} If a value is no JSON where it must be. */
export function poolFields(
  given: Readonly<Record<string, unknown>>,
): PoolPatch {
  const entries = [...FIELDS, PROVIDER_CONFIG].flatMap((
    { flag, field, read = asItIs },
  ) => {
    const option = new Option(flag).attributeName();
    const text = given[option];
    if (typeof text !== "string") return [];
    return [[field, read(text, flag)]];
  });
  return Object.fromEntries(entries);
}

function nameOf(flag: string): string {
  return flag.replace(/^--([\w-]+).*$/, "$1").replaceAll("-", "_");
}

function asItIs(text: string): string {
  return text;
}

function json(text: string, flag: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(
      `Cannot use ${flag}: "${text}" is not such a value`,
    );
  }
}

function argumentList(text: string): readonly string[] | null {
  return text === "default" || text === "null" ? null : entryList(text);
}

function entryList(text: string): readonly string[] {
  return text === "none" ? [] : text.split(",").map((entry) => entry.trim());
}
