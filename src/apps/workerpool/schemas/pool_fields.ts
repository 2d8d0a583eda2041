import { z } from "@hono/zod-openapi";
import {
  BROWSERS,
  browserSchema,
  OPERATING_SYSTEMS,
  operatingSystemSchema,
  proxySchema,
  resourceLimitsSchema,
  screenSchema,
  versionSchema,
} from "../../../core/browser_spec.ts";
import { environmentInputSchema } from "../../../core/environment.ts";
import { egressRuleSchema } from "../../../core/egress.ts";
import { storableObjectSchema, textSchema } from "../../../core/schema.ts";
import type { FieldOption } from "../../../http/declared_fields.ts";
import {
  findForbiddenReason,
  FORBIDDEN_PATTERN,
} from "../allowed_arguments.ts";
import { POOL_EGRESS, POOL_STATUSES } from "../status.ts";

/** The declaration of one field of a work pool. */
export interface PoolField {
  /** Schema in requests, and in responses without a `wire` schema. */
  readonly schema: z.ZodType;
  /** Schema in responses. */
  readonly wire?: z.ZodType;
  /** Value of a new pool whose body has none. Absent: the field is required. */
  readonly default?: unknown;
  /** Option of `browsergrid pool create` and `pool update`. Absent: the command sets the field otherwise. */
  readonly option?: FieldOption;
  /** Example in the body of a new pool. */
  readonly example?: unknown;
}

const DAY_MINUTES = 24 * 60;

/** The name of an argument, or the beginning of one and a star. */
const allowedArgumentSchema = z.string().regex(
  /^--[a-zA-Z0-9][a-zA-Z0-9-]*\*?$/,
  "expected the name of an argument such as --lang, or its beginning and a star",
).max(100).superRefine((entry, context) => {
  const reason = findForbiddenReason(entry.replace("*", ""));
  if (reason === undefined) return;
  context.addIssue(
    `"${entry}" can never be allowed: ${reason}, expected other arguments`,
  );
}).openapi({ not: { pattern: FORBIDDEN_PATTERN } });

/**
 * The fields of a work pool, each declared once.
 *
 * The bodies, the response, the row, the options of `browsergrid pool create` and `pool update`, and the examples
 * derive from these declarations.
 */
export const poolFields = {
  name: {
    schema: textSchema().trim().min(1).max(100).describe(
      "Unique name of the pool",
    ),
    example: "crawlers",
  },
  description: {
    schema: textSchema().max(2_000).describe("Purpose of the pool"),
    default: "",
    option: { flags: "--description <text>" },
    example: "Chrome in containers, for the nightly crawl",
  },
  provider_type: {
    schema: textSchema().min(1).describe(
      "Name of the provider that starts the browsers",
    ),
    example: "docker",
  },
  provider_config: {
    schema: storableObjectSchema().describe(
      "Options of the provider, checked against its own schema",
    ),
    default: {},
  },
  status: {
    schema: z.enum(POOL_STATUSES).describe(
      "Only an active pool takes sessions and has them started",
    ),
    default: "active",
  },
  priority: {
    schema: z.int().min(-1_000).max(1_000).describe(
      "Pools with a higher priority are preferred",
    ),
    default: 0,
    option: { flags: "--priority <number>" },
    example: 10,
  },
  default_browser: {
    schema: browserSchema.nullable().describe(
      "Browser of sessions that request none",
    ),
    default: null,
    option: { flags: "--browser <name>", suggestions: BROWSERS },
    example: "chrome",
  },
  default_browser_version: {
    schema: versionSchema.nullable().describe(
      "Browser version of sessions that request none",
    ),
    default: null,
    option: { flags: "--browser-version <version>" },
  },
  default_headless: {
    schema: z.boolean().nullable().describe(
      "True if browsers of sessions that do not set headless have no window",
    ),
    default: null,
    option: {
      flags: "--headless <true|false>",
      suggestions: ["true", "false"],
    },
  },
  default_operating_system: {
    schema: operatingSystemSchema.nullable().describe(
      "Operating system of sessions that request none",
    ),
    default: null,
    option: {
      flags: "--operating-system <name>",
      suggestions: OPERATING_SYSTEMS,
    },
  },
  default_screen: {
    schema: screenSchema.nullable().describe(
      "Screen of sessions that request none",
    ),
    default: null,
    option: {
      flags: "--screen <size>",
      help: "Screen of sessions that request none, such as 1280x720",
    },
    example: { width: 1920, height: 1080, dpi: 96, scale: 1 },
  },
  default_proxy: {
    schema: proxySchema.nullable().describe(
      "Proxy of sessions that request none",
    ),
    wire: z.object({
      proxy_url: z.string(),
      proxy_username: z.string().optional(),
    }).nullable(),
    default: null,
    option: {
      flags: "--proxy <json>",
      help:
        'Proxy of sessions that request none, such as {"proxy_url":"http://proxy.example:3128"}',
    },
  },
  default_resource_limits: {
    schema: resourceLimitsSchema.nullable().describe(
      "Resource limits of sessions; a session overrides each limit that it sets",
    ),
    default: null,
    option: {
      flags: "--resource-limits <json>",
      help: 'Resource limits of sessions, such as {"cpu":1,"memory":"2G"}',
    },
    example: { cpu: 2, memory: "2G", timeout_minutes: 30 },
  },
  default_environment: {
    schema: environmentInputSchema.nullable(),
    wire: z.array(z.string()).nullable().describe(
      "Names of the variables; responses do not contain their values",
    ),
    default: null,
    option: {
      flags: "--environment <json>",
      help: 'Environment variables of the browsers, such as {"TZ":"UTC"}',
    },
    example: { LANG: "de_DE.UTF-8" },
  },
  max_sessions: {
    schema: z.int().min(1).nullable().describe(
      "Maximum number of sessions that start or run at the same time; null means no limit",
    ),
    default: null,
    option: { flags: "--max-sessions <number>" },
    example: 50,
  },
  min_workers: {
    schema: z.int().min(0).describe(
      "Minimum number of workers of an active pool, if the server starts their machines",
    ),
    default: 0,
    option: { flags: "--min-workers <number>" },
  },
  max_workers: {
    schema: z.int().min(1).nullable().describe(
      "Maximum number of workers that are not offline; null means no limit, and 100 if the server starts their machines",
    ),
    default: null,
    option: { flags: "--max-workers <number>" },
  },
  max_sessions_per_worker: {
    schema: z.int().min(1).nullable().describe(
      "Maximum number of sessions of one worker, within its capacity; null means no further limit",
    ),
    default: null,
    option: { flags: "--max-sessions-per-worker <number>" },
  },
  min_ready: {
    schema: z.int().min(0).max(1_000).describe(
      "Number of browsers that the pool's workers keep started and unused, for sessions that request the pool's defaults",
    ),
    default: 0,
    option: { flags: "--min-ready <number>" },
  },
  ready_max_age_minutes: {
    schema: z.number().gt(0).max(7 * DAY_MINUTES).describe(
      "Age at which a browser that is kept ready is replaced",
    ),
    default: 60,
    option: { flags: "--ready-max-age-minutes <number>" },
  },
  allowed_arguments: {
    schema: z.array(allowedArgumentSchema).max(200).nullable().describe(
      "Arguments that sessions may pass to their browsers: names such as --accept-lang, or beginnings with a star such as --force-*. A star does not match arguments that weaken the browser's protection; these must be named in full. null: a list of harmless arguments, such as --accept-lang and --user-agent. []: none. Arguments that break the grid or start programs, such as --remote-debugging-port, can never be allowed",
    ),
    default: null,
    option: {
      flags: "--allowed-arguments <list>",
      help:
        "Arguments that sessions may pass to their browsers, such as --lang,--force-*; none: no arguments; default: harmless ones",
    },
  },
  egress: {
    schema: z.enum(POOL_EGRESS).describe(
      "Networks that the pool's browsers may reach. open: every network that their host reaches. no_private: the internet, but no loopback, private, link-local, metadata or multicast address. none: no network. auto: no_private for sessions of client keys, open for all others",
    ),
    default: "auto",
    option: {
      flags: "--egress <mode>",
      help: "Networks that sessions may reach",
      suggestions: POOL_EGRESS,
    },
    example: "no_private",
  },
  egress_allow: {
    schema: z.array(egressRuleSchema).max(100).describe(
      "Networks and hosts that sessions may reach regardless of egress: 10.1.0.0/16, fd00::1, intranet.example.test, *.example.test, each with or without :port",
    ),
    default: [],
    option: {
      flags: "--egress-allow <list>",
      help:
        "Networks and hosts that sessions may reach regardless of egress, such as 10.1.0.0/16,*.example.test:443; none: no others",
    },
    example: ["10.1.0.0/16", "intranet.example.test:443"],
  },
  max_queue: {
    schema: z.int().min(0).nullable().describe(
      "Maximum number of sessions that wait, in addition to those that the pool's workers could start at once; one more is rejected (429, queue_full). 0: only sessions that a worker has room for are accepted. null: no limit. A session that is queued again because its worker was lost is never rejected",
    ),
    default: null,
    option: {
      flags: "--max-queue <number>",
      help: "Maximum number of sessions that wait",
    },
    example: 100,
  },
  max_timeout_minutes: {
    schema: z.number().gt(0).nullable().describe(
      "Longest lifetime that a session may request; null means no limit",
    ),
    default: null,
    option: { flags: "--max-timeout-minutes <number>" },
  },
} as const satisfies Readonly<Record<string, PoolField>>;
