import { z } from "@hono/zod-openapi";
import {
  type ConnectParameter,
  findType,
  listMembers,
  type SessionField,
} from "./field.ts";
import { requestedFields } from "./requested_fields.ts";

/** A row of the documentation's table of session fields. A cell without content is empty. */
export interface FieldRow {
  readonly field: string;
  /** Type of the value in the create body. */
  readonly type: string;
  /** Value that applies if neither request nor pool has one. */
  readonly default: string;
  /** Whether the create body may set the field. */
  readonly creation: boolean;
  /** Parameters of `/v1/connect`. */
  readonly connect: string;
  /** Options of `browsergrid session create`. */
  readonly options: string;
  /** Field of the work pool that the session inherits. */
  readonly inherits: string;
}

/** Returns a row for each field that a client can set, in the order of their declarations. */
export function describeSessionFields(): readonly FieldRow[] {
  return Object.entries<SessionField>(requestedFields).map(([name, field]) => ({
    field: name,
    type: renderType(field),
    default: renderDefault(field),
    creation: field.input !== undefined,
    connect: field.connect ? renderConnect(name, field, field.connect) : "",
    options: (field.options ?? []).map(({ flags }) => flags).join(", "),
    inherits: field.inherits ?? "",
  }));
}

function renderType({ input, connect }: SessionField): string {
  const schema = input ??
    (connect?.form === "separate" ? connect.schema : undefined);
  if (schema === undefined) return "";
  if (schema instanceof z.ZodEnum) return schema.options.join(" | ");
  const members = Object.keys(listMembers(schema));
  const type = findType(schema);
  return members.length > 0 ? `object: ${members.join(", ")}` : type;
}

function renderDefault({ setting, ...field }: SessionField): string {
  if (setting !== undefined) return `setting ${setting}`;
  return "default" in field ? JSON.stringify(field.default) : "";
}

function renderConnect(
  name: string,
  { input }: SessionField,
  connect: ConnectParameter,
): string {
  switch (connect.form) {
    case "value":
      return name;
    case "members":
      return input ? Object.keys(listMembers(input)).join(", ") : "";
    case "prefix":
      return `${connect.prefix}NAME`;
    case "list":
    case "pairs":
    case "separate":
      return connect.name;
    default:
      return connect satisfies never;
  }
}
