/**
 * Makes a migration with drizzle-kit, and writes the list of the project's migrations from its journal:
 * `deno task db:generate`. Arguments are passed to drizzle-kit.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { readMigrations } from "../src/db/migrate.ts";

const FOLDER = new URL("../migrations/", import.meta.url);

/** Matches names that need no quoting in the module. */
const NAME = /^\w+$/;

/** The module that lists the migrations. */
const LIST_PATH: string = fileURLToPath(
  new URL("../src/db/project_migrations.ts", import.meta.url),
);

/** Returns the source of the module. */
async function renderList(): Promise<string> {
  const names = (await readMigrations(FOLDER)).map(({ name }) => name);
  const wrong = names.find((name) => !NAME.test(name));
  if (wrong !== undefined) {
    throw new Error(
      `Cannot list migration "${wrong}": expected letters, digits and _`,
    );
  }
  const lines = names.map((name) =>
    `  "${name}": () =>
    import("../../migrations/${name}.sql", { with: { type: "text" } }),\n`
  );
  return `// Written by \`deno task db:generate\`.

/** Loads the SQL of each migration of the project, in their order. Imports, so that every build contains the files. */
export const PROJECT_MIGRATIONS: Readonly<
  Record<string, () => Promise<{ readonly default: string }>>
> = {
${lines.join("")}};
`;
}

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Runs Deno. Ends this program if it fails. */
async function runDeno(...args: readonly string[]): Promise<void> {
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: ROOT,
  }).spawn().status;
  if (code !== 0) Deno.exit(code);
}

await runDeno(
  ...["run", "-P=migrations", "--node-modules-dir=auto", "npm:drizzle-kit"],
  ...["generate", "--config", ".ci/drizzle.config.ts", ...Deno.args],
);
await Deno.writeTextFile(LIST_PATH, await renderList());
await runDeno("fmt", "--quiet", LIST_PATH);
