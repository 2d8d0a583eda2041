import { z } from "@hono/zod-openapi";
import {
  argumentsSchema,
  BROWSERS,
  browserSchema,
  OPERATING_SYSTEMS,
  operatingSystemSchema,
  proxySchema,
  resourceLimitsSchema,
  screenSchema,
  versionSchema,
} from "../../../core/browser_spec.ts";
import { sessionEnvironmentSchema } from "../../../core/environment.ts";
import { textSchema } from "../../../core/schema.ts";
import type { SessionField } from "./field.ts";
import { labelsSchema } from "./labels.ts";

const DAY_SECONDS = 86_400;

/**
 * The fields of a session that a client can set, each declared once.
 *
 * The create body, the response, the stored row, the query of `/v1/connect`, the options of `browsergrid session create`
 * and the table of the documentation derive from these declarations.
 */
export const requestedFields = {
  browser: {
    input: browserSchema,
    wire: browserSchema,
    inherits: "default_browser",
    connect: { form: "value" },
    options: [{
      flags: "--browser <name>",
      help: "Name of the browser",
      suggestions: BROWSERS,
    }],
    example: "chrome",
  },
  version: {
    input: versionSchema,
    wire: z.string(),
    inherits: "default_browser_version",
    connect: { form: "value" },
    options: [{ flags: "--browser-version <version>" }],
    example: "stable",
  },
  headless: {
    input: z.boolean().describe("Run the browser without a window"),
    wire: z.boolean(),
    inherits: "default_headless",
    connect: { form: "value" },
    options: [{
      flags: "--headless <true|false>",
      suggestions: ["true", "false"],
    }],
    example: true,
  },
  operating_system: {
    input: operatingSystemSchema,
    wire: operatingSystemSchema,
    inherits: "default_operating_system",
    connect: { form: "value" },
    options: [{
      flags: "--operating-system <name>",
      suggestions: OPERATING_SYSTEMS,
    }],
    example: "linux",
  },
  screen: {
    input: screenSchema,
    wire: screenSchema,
    inherits: "default_screen",
    connect: { form: "members" },
    options: [{
      flags: "--screen <size>",
      help: "Size of the screen, such as 1280x720",
    }],
    example: { width: 1920, height: 1080, dpi: 96, scale: 1 },
  },
  proxy: {
    input: proxySchema,
    wire: z.object({
      proxy_url: z.string(),
      proxy_username: z.string().optional(),
    }).nullable(),
    inherits: "default_proxy",
    connect: { form: "members" },
    options: [{
      flags: "--proxy-url <url>",
      member: "proxy_url",
      help: "HTTP or SOCKS proxy, such as http://proxy.example:3128",
    }],
    example: {
      proxy_url: "http://proxy.example:3128",
      proxy_username: "crawler",
      proxy_password: "a secret",
    },
    wireExample: {
      proxy_url: "http://proxy.example:3128",
      proxy_username: "crawler",
    },
  },
  resource_limits: {
    input: resourceLimitsSchema,
    wire: resourceLimitsSchema,
    inherits: "default_resource_limits",
    setting: "session_timeout_minutes",
    connect: { form: "members" },
    options: [
      { flags: "--cpu <number>", member: "cpu", help: "CPU cores" },
      {
        flags: "--memory <size>",
        member: "memory",
        help: "Memory, such as 2G",
      },
      {
        flags: "--timeout-minutes <number>",
        member: "timeout_minutes",
        help: "Maximum lifetime of the session",
      },
    ],
    example: { cpu: 2, memory: "2G", timeout_minutes: 30 },
  },
  environment: {
    input: sessionEnvironmentSchema,
    wire: z.array(z.string()).describe(
      "Names of the variables; responses never contain their values",
    ),
    inherits: "default_environment",
    connect: { form: "prefix", prefix: "env." },
    options: [{
      flags: "--env <name=value...>",
      help: "Environment variables of the browser",
    }],
    example: { LANG: "de_DE.UTF-8" },
    wireExample: ["LANG"],
  },
  arguments: {
    input: argumentsSchema,
    wire: z.array(z.string()).describe("Additional browser arguments"),
    default: [],
    connect: {
      form: "list",
      name: "argument",
      description: "A browser argument. The parameter may be repeated",
    },
    options: [{
      flags: "--argument <argument...>",
      help:
        "Browser arguments that the work pool allows, such as --argument=--accept-lang=de-DE",
    }],
    example: ["--accept-lang=de-DE"],
  },
  work_pool_id: {
    input: textSchema().min(1).describe(
      "Id or name of a work pool. Without it, the best match is selected",
    ),
    wire: z.uuid(),
    connect: { form: "value" },
    options: [{ flags: "--pool <pool>" }],
    example: "default",
    wireExample: "01a20ad2-5e0f-7c11-9d7a-0d6f2b1c4e88",
  },
  priority: {
    input: z.int().min(-1_000).max(1_000).describe(
      "Pending sessions with a higher priority start first",
    ),
    wire: z.int(),
    inherits: "priority",
    connect: { form: "value" },
    options: [{ flags: "--priority <number>" }],
    example: 10,
  },
  idle_timeout_seconds: {
    input: z.number().min(1).max(7 * DAY_SECONDS).describe(
      "Seconds without client traffic after which the session is timed_out",
    ),
    wire: z.number().nullable(),
    default: null,
    connect: { form: "value" },
    options: [{ flags: "--idle-timeout-seconds <number>" }],
    example: 300,
  },
  queue_timeout_seconds: {
    input: z.number().min(1).max(DAY_SECONDS).describe(
      "Seconds that the session waits for a worker before it fails; by default the setting of this name",
    ),
    setting: "queue_timeout_seconds",
    connect: { form: "value" },
    options: [{ flags: "--queue-timeout-seconds <number>" }],
    example: 120,
  },
  max_connections: {
    input: z.int().min(1).max(1_000).describe(
      "Maximum number of clients that are connected at once; by default 1",
    ),
    wire: z.int().describe("Maximum number of connected clients"),
    default: 1,
    connect: { form: "value" },
    options: [{ flags: "--max-connections <number>" }],
    example: 2,
  },
  keep_alive_seconds: {
    wire: z.number().nullable().describe(
      "Seconds that the session waits for its client to reconnect; null unless /v1/connect created it with keep_alive",
    ),
    connect: {
      form: "separate",
      name: "keep_alive",
      schema: z.number().min(1).max(DAY_SECONDS).describe(
        "Seconds for which the browser is kept after the socket closes, so that the client can reconnect through the session's connect URL",
      ),
    },
    wireExample: null,
  },
  labels: {
    input: labelsSchema,
    wire: z.record(z.string(), z.string()),
    default: {},
    connect: {
      form: "pairs",
      name: "label",
      description: "A label as NAME=VALUE. The parameter may be repeated",
    },
    options: [{
      flags: "--label <name=value...>",
      help: "Labels by which sessions can be listed",
    }],
    example: { team: "search" },
  },
  webhooks_enabled: {
    input: z.boolean().describe("Send the session's events to webhooks"),
    wire: z.boolean(),
    default: true,
    connect: { form: "value" },
    example: true,
  },
} satisfies Readonly<Record<string, SessionField>>;
