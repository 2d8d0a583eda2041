import { z } from "@hono/zod-openapi";
import {
  listMembers,
  type SessionField,
} from "../../src/apps/sessions/schemas/field.ts";
import { requestedFields } from "../../src/apps/sessions/schemas/requested_fields.ts";
import { code, escapeText, renderTable } from "./markdown.ts";

/** Members of a JSON Schema that the table shows. */
const propertySchema = z.object({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  enum: z.array(z.unknown()).optional(),
  minimum: z.number().optional(),
  exclusiveMinimum: z.number().optional(),
  maximum: z.number().optional(),
  default: z.unknown().optional(),
  description: z.string().optional(),
});

type Property = z.infer<typeof propertySchema>;

/** A row of the table: a field, or a member of the field's object. */
interface Row {
  readonly name: string;
  readonly member?: string;
  readonly field: SessionField;
  readonly property: Property;
}

/** Renders a table of the fields that a client can set, and their descriptions. */
export function renderSessionFields(): string {
  const rows = listRows();
  const head = ["field", "type", "default", "body", "query", "option"];
  const cells = rows.map((row) => [
    code(renderPath(row)),
    renderType(row.property),
    renderDefault(row),
    row.field.input ? "yes" : "",
    renderParameter(row),
    renderOption(row),
  ]);
  const descriptions = rows.flatMap((row) => {
    const { description } = row.property;
    return description
      ? [`- ${code(renderPath(row))}: ${escapeText(description)}`]
      : [];
  });
  return `${renderTable(head, cells)}\n\n${descriptions.join("\n")}`;
}

function listRows(): readonly Row[] {
  return Object.entries<SessionField>(requestedFields).flatMap(
    ([name, field]) => {
      const schema = field.input ?? findSeparateSchema(field);
      if (schema === undefined) return [];
      const members = Object.entries(listMembers(schema));
      return members.length === 0
        ? [{ name, field, property: toProperty(schema) }]
        : members.map(([member, inner]) => ({
          name,
          member,
          field,
          property: toProperty(inner),
        }));
    },
  );
}

function findSeparateSchema({ connect }: SessionField): z.ZodType | undefined {
  return connect?.form === "separate" ? connect.schema : undefined;
}

function toProperty(schema: z.ZodType): Property {
  return propertySchema.parse(
    z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }),
  );
}

function renderPath({ name, member }: Row): string {
  return member === undefined ? name : `${name}.${member}`;
}

function renderType({ type, ...property }: Property): string {
  if (property.enum) return "name";
  if (type === "object") return "map";
  if (type === "array") return "list";
  if (type === "boolean") return "true, false";
  if (type === "string") return "text";
  const { minimum, exclusiveMinimum, maximum } = property;
  return minimum === undefined
    ? `> ${exclusiveMinimum}, to ${maximum}`
    : `${minimum} to ${maximum}`;
}

function renderDefault({ member, field, property }: Row): string {
  const { inherits, setting } = field;
  const isOfMember = member === undefined || setting?.endsWith(member);
  const value = property.default ?? field.default;
  const isShown = typeof value === "number" || typeof value === "boolean";
  return [
    ...inherits ? ["pool"] : [],
    ...setting && isOfMember ? ["setting"] : [],
    ...isShown ? [code(String(value))] : [],
  ].join(", ");
}

function renderParameter({ field: { connect } }: Row): string {
  switch (connect?.form) {
    case undefined:
      return "";
    case "value":
    case "members":
      return "yes";
    case "prefix":
      return code(`${connect.prefix}NAME`);
    case "list":
    case "pairs":
    case "separate":
      return code(connect.name);
    default:
      return connect satisfies never;
  }
}

function renderOption({ name, member, field }: Row): string {
  const found = field.options?.find((option) =>
    option.member === undefined || option.member === member
  );
  const [flag] = found?.flags.split(" ") ?? [];
  if (flag === undefined) return "";
  const derived = `--${(member ?? name).replaceAll("_", "-")}`;
  return flag === derived ? "yes" : code(flag);
}
