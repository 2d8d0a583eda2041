import { z } from "@hono/zod-openapi";
import {
  type SessionInput,
  sessionInputSchema,
} from "../apps/sessions/schemas.ts";
import { GridError } from "../core/errors.ts";
import { describeFaults } from "../http/validation_issues.ts";
import { didYouMean } from "../core/nearest.ts";
import { truncate } from "../core/text.ts";
import { keepAliveSchema } from "./connect_query.ts";

/** Query parameters of `/v1/connect` and where they stand in a session's body. */
const PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  browser: ["browser"],
  version: ["version"],
  headless: ["headless"],
  operating_system: ["operating_system"],
  width: ["screen", "width"],
  height: ["screen", "height"],
  dpi: ["screen", "dpi"],
  scale: ["screen", "scale"],
  proxy_url: ["proxy", "proxy_url"],
  proxy_username: ["proxy", "proxy_username"],
  proxy_password: ["proxy", "proxy_password"],
  cpu: ["resource_limits", "cpu"],
  memory: ["resource_limits", "memory"],
  timeout_minutes: ["resource_limits", "timeout_minutes"],
  work_pool_id: ["work_pool_id"],
  priority: ["priority"],
  queue_timeout_seconds: ["queue_timeout_seconds"],
  idle_timeout_seconds: ["idle_timeout_seconds"],
  max_connections: ["max_connections"],
  webhooks_enabled: ["webhooks_enabled"],
};

/** Parameters that are no member of a session's body, or one that is repeated. */
const OTHER_PARAMETERS = [
  "argument",
  "label",
  "env.NAME",
  "keep_alive",
  "launch",
  "token",
];

/** Those whose text is a number or a boolean. */
const JSON_PARAMETERS = new Set([
  "headless",
  "width",
  "height",
  "dpi",
  "scale",
  "cpu",
  "timeout_minutes",
  "priority",
  "queue_timeout_seconds",
  "idle_timeout_seconds",
  "max_connections",
  "keep_alive",
  "webhooks_enabled",
]);

/** Parameters that are read apart. */
const SEPARATE_PARAMETERS = new Set([
  "token",
  "launch",
  "argument",
  "keep_alive",
]);

/** Maximum length of a parameter's name in an error message. */
const MAX_NAME = 100;

type Body = Record<string, unknown>;

/**
 * The session that a query asks for. `launch` is a whole body as JSON, over which the other parameters are laid; `label`
 * (NAME=VALUE), `argument` and `env.NAME` may stand several times.
 *
 * @throws {GridError} `invalid_request` — with what is wrong, or the parameters that are known.
 */
export function parseConnectQuery(query: URLSearchParams): SessionInput {
  const body: Body = parseLaunch(query.get("launch"));
  const placed = new PlacedValues();
  for (const [name, text] of query) {
    if (SEPARATE_PARAMETERS.has(name)) continue;
    placed.add(findPath(name, text), parseValue(name, text));
  }
  placed.layOver(body);
  const given = query.getAll("argument");
  if (given.length > 0) body["arguments"] = given;
  const parsed = sessionInputSchema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw invalidQuery(describeFaults(parsed.error.issues).detail);
}

/**
 * For how many seconds a query wants the browser kept when its client has gone; undefined: it ends with the socket.
 *
 * @throws {GridError} `invalid_request`.
 */
export function parseKeepAlive(query: URLSearchParams): number | undefined {
  const text = query.get("keep_alive");
  if (text === null) return undefined;
  const parsed = keepAliveSchema.safeParse(parseValue("keep_alive", text));
  if (parsed.success) return parsed.data;
  throw invalidQuery(`keep_alive: ${parsed.error.issues[0]?.message}`);
}

function parseLaunch(text: string | null): Body {
  if (text === null) return {};
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(text));
  } catch {
    throw invalidQuery(
      'launch: expected a JSON object such as {"headless":true}',
    );
  }
}

function findPath(name: string, text: string): readonly string[] {
  const known = Object.hasOwn(PARAMETERS, name) ? PARAMETERS[name] : undefined;
  if (known) return known;
  if (name.startsWith("env.")) return ["environment", name.slice(4)];
  if (name === "label") return ["labels", text.split("=")[0] ?? ""];
  const names = [...Object.keys(PARAMETERS), ...OTHER_PARAMETERS];
  throw invalidQuery(
    `${truncate(name, MAX_NAME)}: unknown parameter${
      didYouMean(name, names)
    }, expected one of ${names.join(", ")}`,
  );
}

function parseValue(name: string, text: string): unknown {
  if (name === "label") return text.slice(text.indexOf("=") + 1);
  if (!JSON_PARAMETERS.has(name)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text; // The schema says what is expected in its place.
  }
}

/** Values by their paths of one or two names. Takes linear time, however many values one object has. */
class PlacedValues {
  readonly #whole = new Map<string, unknown>();
  readonly #nested = new Map<string, Map<string, unknown>>();

  add([first = "", second]: readonly string[], value: unknown): void {
    if (second === undefined) return void this.#whole.set(first, value);
    const inner = this.#nested.get(first) ?? new Map<string, unknown>();
    this.#nested.set(first, inner.set(second, value));
  }

  layOver(body: Body): void {
    for (const [name, value] of this.#whole) body[name] = value;
    for (const [name, values] of this.#nested) {
      const inner = body[name];
      const isObject = typeof inner === "object" && inner !== null;
      body[name] = {
        ...(isObject ? inner : {}),
        ...Object.fromEntries(values),
      };
    }
  }
}

function invalidQuery(what: string): GridError {
  return new GridError("invalid_request", `Cannot use the query: ${what}`);
}
