import { z } from "zod";
import { code } from "./markdown.ts";
import { openDefaultGrid } from "./open_grid.ts";

/** Largest number of query parameters that an entry names; the others have a page of their own. */
const MAX_PARAMETERS = 10;

const operationSchema = z.object({
  parameters: z.array(z.object({ name: z.string(), in: z.string() })).default(
    [],
  ),
  tags: z.tuple([z.string()]),
  summary: z.string(),
  "x-roles": z.array(z.string()).optional(),
});

const documentSchema = z.object({
  tags: z.array(z.object({ name: z.string(), description: z.string() })),
  paths: z.record(z.string(), z.record(z.string(), operationSchema)),
});

/** Renders the endpoints of the OpenAPI document, grouped by tag. */
export async function renderHttpApi(): Promise<string> {
  const { tags, paths } = await readDocument();
  const endpoints = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { tags: [tag], ...operation }]) => ({
      tag,
      line: `- ${code(`${method.toUpperCase()} ${path}`)} (${
        renderRoles(operation["x-roles"])
      }): ${operation.summary}${renderQuery(operation)}`,
    }))
  );
  return tags.map(({ name, description }) => {
    const lines = endpoints.filter(({ tag }) => tag === name)
      .map(({ line }) => line);
    return `### ${name}\n\n${description}.\n\n${lines.join("\n")}`;
  }).join("\n\n");
}

function renderQuery(
  { parameters }: Pick<z.infer<typeof operationSchema>, "parameters">,
): string {
  const names = parameters.filter((parameter) => parameter.in === "query")
    .map(({ name }) => code(name));
  return names.length === 0 || names.length > MAX_PARAMETERS
    ? ""
    : ` (query: ${names.join(", ")})`;
}

/** Renders the roles without `admin`, which may use everything. */
function renderRoles(roles: readonly string[] | undefined): string {
  if (roles === undefined) return "no key";
  const others = roles.filter((role) => role !== "admin");
  return others.length > 0 ? others.join(", ") : "admin";
}

async function readDocument() {
  await using grid = await openDefaultGrid();
  const response = await grid.router.request("http://localhost/openapi.json");
  return documentSchema.parse(await response.json());
}
