import { z } from "@hono/zod-openapi";
import { sessionInputSchema } from "../../src/apps/sessions/schemas.ts";
import { poolInputSchema } from "../../src/apps/workerpool/schemas.ts";
import { sessionCreateCommand } from "../../src/cli/session/create.ts";
import { terminal } from "../../src/cli/output.ts";
import { connectQuerySchema } from "../../src/gateway/connect_query.ts";
import { code, escapeText, renderTable } from "./markdown.ts";

/** A JSON Schema, as far as the table shows it. */
const propertySchema = z.object({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  enum: z.array(z.unknown()).optional(),
  minimum: z.number().optional(),
  exclusiveMinimum: z.number().optional(),
  maximum: z.number().optional(),
  default: z.unknown().optional(),
  description: z.string().optional(),
  get properties() {
    return z.record(z.string(), propertySchema).optional();
  },
});

type Property = z.infer<typeof propertySchema>;

/** A field, or a member of one: `screen.width`. */
interface Field {
  readonly path: string;
  readonly property: Property;
}

/** Names on `/v1/connect` and of command-line options that differ from the field's own. */
const OTHER_NAMES: Readonly<
  Record<string, { readonly query?: string; readonly option?: string }>
> = {
  version: { option: "browser-version" },
  work_pool_id: { option: "pool" },
  arguments: { query: "argument", option: "argument" },
  labels: { query: "label", option: "label" },
  environment: { query: "env.NAME", option: "env" },
};

/** Renders a table of the fields of a session, and their descriptions. */
export function renderSessionFields(): string {
  const fields = listFields();
  const options = new Set(
    sessionCreateCommand(terminal).options.map(({ long }) => long ?? ""),
  );
  const rows = fields.map(({ path, property }) => [
    code(path),
    renderType(property),
    renderDefault(path, property),
    findParameter(path),
    findOption(path, options),
  ]);
  const head = ["field", "type", "default", "query", "option"];
  const descriptions = fields.filter(({ property }) => property.description)
    .map(({ path, property }) =>
      `- ${code(path)}: ${escapeText(property.description ?? "")}`
    );
  return `${renderTable(head, rows)}\n\n${descriptions.join("\n")}`;
}

function listFields(): readonly Field[] {
  const { properties = {} } = propertySchema.parse(
    z.toJSONSchema(sessionInputSchema, { io: "input", unrepresentable: "any" }),
  );
  return Object.entries(properties).flatMap(([name, property]) =>
    property.properties
      ? Object.entries(property.properties).map(([member, inner]) => ({
        path: `${name}.${member}`,
        property: inner,
      }))
      : [{ path: name, property }]
  );
}

function renderType({ type, ...property }: Property): string {
  if (property.enum) return "name";
  if (type === "object") return "map";
  if (type === "array") return "list";
  if (type === "boolean") return "true, false";
  if (type === "string") return "text";
  const { minimum, exclusiveMinimum = minimum, maximum } = property;
  const from = minimum === undefined ? "above" : "from";
  if (maximum === undefined) return `${from} ${exclusiveMinimum}`;
  return minimum === undefined
    ? `above ${exclusiveMinimum}, to ${maximum}`
    : `${minimum} to ${maximum}`;
}

function renderDefault(path: string, { default: value }: Property): string {
  const [name = ""] = path.split(".");
  const inPool = { version: "default_browser_version" }[name] ??
    `default_${name}`;
  const texts = [
    ...inPool in poolInputSchema.shape ? ["pool"] : [],
    ...value === undefined ? [] : [code(String(value))],
  ];
  return texts.join(", ");
}

function findParameter(path: string): string {
  const leaf = path.split(".").at(-1) ?? path;
  const { query = leaf } = OTHER_NAMES[path] ?? {};
  if (query === leaf) return query in connectQuerySchema.shape ? "yes" : "";
  return code(query);
}

function findOption(path: string, options: ReadonlySet<string>): string {
  const [name = "", leaf = name] = path.split(".");
  const { option = leaf } = OTHER_NAMES[path] ?? {};
  const flags = [option, name].map((text) => `--${text.replaceAll("_", "-")}`);
  const flag = flags.find((each) => options.has(each)) ?? "";
  return flag === `--${leaf.replaceAll("_", "-")}` ? "yes" : flag && code(flag);
}
