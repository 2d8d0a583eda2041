import assert from "node:assert/strict";
import { docSnippets, type Snippet } from "../support/doc_snippets.ts";
import { startProgram } from "../support/program.ts";
import { openShell, type Shell } from "../support/shell.ts";

/** Patterns that identify each snippet. */
export const SNIPPETS = {
  start: /deno@\S+ task start$/m,
  test: /deno@\S+ task test$/m,
  puppeteer: /from "puppeteer-core";\s+const browser/,
  playwright: /from "playwright-core"/,
  keep_alive: /connect\?keep_alive=60/,
  create: /^curl -X POST/,
  first_session: /session create --wait --label team=search/,
  query: /dbshell -c "SELECT/,
  completions: /browsergrid completions bash/,
  containers: /browsergrid docker build-image/,
  isolation: /^apt install /,
  ready: /--min-ready/,
  worker: /worker --work-pool-id default --api-url/,
  new_page: /^curl -X PUT .*json\/new/,
  look: /session screenshot ID/,
  client: /from ".*src\/client\/client.ts"/,
  keys: /browsergrid key create/,
  middleware: /export BROWSERGRID_MIDDLEWARE=/,
  remote: /turso db create/,
  hosted: /import \{ hostApi \}/,
  hosted_run: /deno run --allow-net --allow-env/,
  hosted_bundle: /deno bundle/,
  app: /name: "notes"/,
  app_run: /serve --plugin \.\/notes\/plugin\.js/,
  provider: /name: "own_command"/,
  provider_run: /serve --plugin \.\/own_command\.js/,
  office_hours: /name: "office_hours"/,
  forget: /DELETE FROM grid_secrets/,
  develop: /deno task dev/,
  environment: /^\.ci\/run environment$/m,
  run_tests: /^deno test -A tests\/core/,
};

/** The snippets of the documentation. */
export const snippets: readonly Snippet[] = await docSnippets();

/** Returns the text of a snippet. */
export function snippet(name: keyof typeof SNIPPETS): string {
  const found = snippets.find(({ text }) => SNIPPETS[name].test(text));
  assert.ok(found, `the documentation has no snippet "${name}"`);
  return found.text;
}

/** A grid, started by its program, and a shell for it. Disposal ends it. */
export interface Scene extends AsyncDisposable {
  readonly url: string;
  readonly shell: Shell;
  /** Returns a snippet with this grid's address in place of the default one. */
  here(name: keyof typeof SNIPPETS): string;
}

/** Starts a grid with further arguments of `serve`, and variables for both. */
export async function scene(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const dataDir = await Deno.makeTempDir({ prefix: "browsergrid-docs-" });
  stack.defer(() => Deno.remove(dataDir, { recursive: true }));
  const program = stack.use(startProgram(
    ["serve", "--port", "0", "--data-dir", dataDir, ...args],
    env,
  ));
  const [, url = ""] = await program.until(/API +(http:\S+)\/v1/);
  const shell = stack.use(
    await openShell({
      ...env,
      BROWSERGRID_API_URL: url,
      BROWSERGRID_DATA_DIR: dataDir,
    }),
  );
  const owned = stack.move();
  return {
    url,
    shell,
    here: (name) =>
      snippet(name).replaceAll("127.0.0.1:8765", new URL(url).host),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Runs lines that must succeed, and returns their output. */
export async function succeeds(shell: Shell, lines: string): Promise<string> {
  const { code, stdout, stderr } = await shell.run(lines);
  assert.equal(code, 0, `${lines}\n${stdout}${stderr}`);
  return stdout;
}
