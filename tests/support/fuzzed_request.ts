import fc from "fast-check";
import type { DescribedOperation, Parameter } from "./api_document.ts";
import {
  allowed,
  broken,
  hostile,
  type ValueOptions,
} from "./schema_values.ts";

/** A request as it is sent. */
export interface FuzzedRequest {
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** The document allows everything in it. */
  readonly isAllowed: boolean;
}

const ID = /^(id|\w+_id)$/;

/** Waits are left out: each would hold the test up. */
const WAITS = ["0", "-1", "soon", "NaN", "1e99", "0x0", " "];

/** Requests that the document allows for `operation`. */
export function allowedRequest(
  operation: DescribedOperation,
  options: ValueOptions,
): fc.Arbitrary<FuzzedRequest> {
  const of = (parameter: Parameter) =>
    parameter.name === "wait"
      ? fc.constant("0")
      : toParameterValue(parameter, options).map(written);
  const { body } = operation;
  const bodies = body
    ? allowed(body.schema, options).map((value) => JSON.stringify(value))
    : fc.constant(null);
  return request(operation, of, {
    body: body && !body.required ? fc.option(bodies) : bodies,
    type: fc.constant("application/json"),
  }).map((made) => ({ ...made, isAllowed: true }));
}

/** Requests for `operation` in which anything may be wrong. */
export function brokenRequest(
  operation: DescribedOperation,
  options: ValueOptions,
): fc.Arbitrary<FuzzedRequest> {
  const of = (parameter: Parameter) =>
    parameter.name === "wait"
      ? fc.constantFrom(...WAITS)
      : fc.oneof(toParameterValue(parameter, options), hostile).map(written);
  const { body } = operation;
  const bodies = body
    ? broken(body.schema, options).map((value) => JSON.stringify(value) ?? "")
    : fc.constant("{}");
  return request(operation, of, {
    body: fc.oneof(
      { weight: 8, arbitrary: bodies },
      fc.constantFrom(
        null,
        "",
        "{",
        "nul",
        '{"a":1}}',
        "\ufeff{}",
        "[1,",
        '"\\ud800"',
      ),
      fc.string({ unit: "binary" }),
    ),
    type: fc.oneof(
      { weight: 12, arbitrary: fc.constant("application/json") },
      fc.constantFrom(
        "text/plain",
        "application/json; charset=utf-16",
        "multipart/form-data",
        "application/x-www-form-urlencoded",
        "image/png",
        "json",
      ),
    ),
  });
}

function toParameterValue(
  { name, schema }: Parameter,
  options: ValueOptions,
): fc.Arbitrary<unknown> {
  const known = options.known[name];
  if (known) return fc.constantFrom(...known);
  // An id of another form has a pattern.
  const isUuid = ID.test(name) && schema["pattern"] === undefined;
  return isUuid ? fc.uuid() : allowed(schema, options);
}

/** As a person would put it into an address. Halves of surrogate pairs have no form there. */
function written(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value) ?? "";
  return text.toWellFormed().slice(0, 4_000);
}

/** `optional` is left out at times. */
function request(
  { method, path, parameters }: DescribedOperation,
  of: (parameter: Parameter) => fc.Arbitrary<string>,
  sent: {
    readonly body: fc.Arbitrary<string | null>;
    readonly type: fc.Arbitrary<string>;
  },
): fc.Arbitrary<FuzzedRequest> {
  const given = fc.record(
    Object.fromEntries(
      parameters.map((parameter) => [
        `${parameter.in} ${parameter.name}`,
        parameter.required ? of(parameter) : fc.option(of(parameter)),
      ]),
    ),
  );
  return fc.record({ given, ...sent }).map(({ given, body, type }) => {
    const values = Object.entries(given).flatMap(([place, value]) =>
      typeof value === "string" ? [[...place.split(" "), value] as const] : []
    );
    const has = method === "GET" ? null : body;
    return {
      method,
      path: createPath(path, values),
      headers: {
        ...createHeaders(values),
        ...(has === null ? {} : { "content-type": type }),
      },
      body: has,
      isAllowed: false,
    };
  });
}

type Values = readonly (readonly string[])[];

function createPath(template: string, values: Values): string {
  const query = new URLSearchParams();
  let path = template;
  for (const [place, name = "", value = ""] of values) {
    if (place === "query") query.append(name, value);
    if (place === "path") {
      path = path.replace(`{${name}}`, () => segment(value));
    }
  }
  return query.size > 0 ? `${path}?${query}` : path;
}

/** Never one that leads to another path. */
function segment(value: string): string {
  return /^\.{0,2}$/.test(value) ? "%20" : encodeURIComponent(value);
}

/** Only such as a client can send. */
function createHeaders(values: Values): Record<string, string> {
  return Object.fromEntries(
    values.flatMap(([place, name = "", value = ""]) =>
      place === "header"
        ? [[name, value.replace(/[^\x20-\x7e\xa0-\xff]/g, "")]]
        : []
    ),
  );
}
