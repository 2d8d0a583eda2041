import { z } from "@hono/zod-openapi";
import {
  type SessionInput,
  sessionInputSchema,
} from "../apps/sessions/schemas.ts";
import { GridError } from "../core/errors.ts";
import { suggestNearest } from "../core/nearest.ts";
import { truncate } from "../core/text.ts";
import { describeFaults } from "../http/validation_issues.ts";
import {
  keepAliveSchema,
  repeatedFields,
  separateParameters,
  valueParameters,
} from "./connect_query.ts";

/** Maximum length of a parameter's name in an error message. */
const MAX_NAME = 100;

const VALUE_PARAMETERS = new Map(
  valueParameters.map((parameter) => [parameter.name, parameter]),
);

/** Fields whose values are the repetitions of one parameter. */
const LISTS = repeatedFields.flatMap(({ field, connect }) =>
  connect.form === "list" ? [{ field, name: connect.name }] : []
);

/** Parameters that set no single member of the create body. */
const SEPARATE_PARAMETERS = new Set([
  ...LISTS.map(({ name }) => name),
  ...Object.keys(separateParameters),
  "launch",
  "token",
]);

type Body = Record<string, unknown>;

/** A value and its place in the create body: a member, or a member of an object in it. */
interface PlacedValue {
  readonly path: readonly string[];
  readonly value: unknown;
}

/**
 * Parses the query of `/v1/connect` into a create body. `launch` is a whole body as JSON; the other parameters override
 * its members.
 *
 * @throws {GridError} `invalid_request` - with the faults, or the known parameters.
 */
export function parseConnectQuery(query: URLSearchParams): SessionInput {
  const body: Body = parseLaunch(query.get("launch"));
  const placed = new PlacedValues();
  for (const [name, text] of query) {
    if (!SEPARATE_PARAMETERS.has(name)) placed.add(placeValue(name, text));
  }
  placed.layOver(body);
  for (const { field, name } of LISTS) {
    if (query.has(name)) body[field] = query.getAll(name);
  }
  const parsed = sessionInputSchema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw invalidQuery(describeFaults(parsed.error.issues).detail);
}

/**
 * Parses `keep_alive`: the seconds for which the browser is kept after its client has disconnected. Undefined if the
 * session ends with the socket.
 *
 * @throws {GridError} `invalid_request`.
 */
export function parseKeepAlive(query: URLSearchParams): number | undefined {
  const text = query.get("keep_alive");
  if (text === null) return undefined;
  const parsed = keepAliveSchema.safeParse(parseJson(text));
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

function placeValue(name: string, text: string): PlacedValue {
  const parameter = VALUE_PARAMETERS.get(name);
  if (parameter) {
    const { path, isJson } = parameter;
    return { path, value: isJson ? parseJson(text) : text };
  }
  for (const { field, connect } of repeatedFields) {
    if (connect.form === "prefix" && name.startsWith(connect.prefix)) {
      return { path: [field, name.slice(connect.prefix.length)], value: text };
    }
    if (connect.form === "pairs" && name === connect.name) {
      const at = text.indexOf("=");
      const entry = at < 0 ? text : text.slice(0, at);
      return { path: [field, entry], value: text.slice(at + 1) };
    }
  }
  throw unknownParameter(name);
}

function unknownParameter(name: string): GridError {
  const names = [
    ...VALUE_PARAMETERS.keys(),
    ...repeatedFields.map(({ connect }) =>
      connect.form === "prefix" ? `${connect.prefix}NAME` : connect.name
    ),
    ...Object.keys(separateParameters),
    "launch",
    "token",
  ];
  return invalidQuery(
    `${truncate(name, MAX_NAME)}: unknown parameter${
      suggestNearest(name, names)
    }, expected one of ${names.join(", ")}`,
  );
}

/** Returns the text unchanged if it is not JSON; the schema then reports what it expects. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Values by their paths of one or two names. Takes linear time for any number of values in one object. */
class PlacedValues {
  readonly #whole = new Map<string, unknown>();
  readonly #nested = new Map<string, Map<string, unknown>>();

  add({ path: [first = "", second], value }: PlacedValue): void {
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

function invalidQuery(fault: string): GridError {
  return new GridError("invalid_request", `Cannot use the query: ${fault}`);
}
