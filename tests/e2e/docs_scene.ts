import assert from "node:assert/strict";
import { docSnippets, type Snippet } from "../support/doc_snippets.ts";
import { startProgram } from "../support/program.ts";
import { openShell, type Shell } from "../support/shell.ts";

/** Patterns that identify each snippet. */
export const SNIPPETS = {
  install: /^sh install\.sh$/m,
  services: /^systemctl enable --now/m,
  start: /deno@\S+ task start$/m,
  test: /deno@\S+ task test$/m,
  puppeteer: /from "puppeteer-core";\s+const browser/,
  playwright: /from "playwright-core"/,
  keep_alive: /connect\?keep_alive=60/,
  create: /^curl -X POST/,
  index: /^curl http:\/\/\S+\/$/m,
  first_session: /session create --wait --label team=search/,
  backup: /^browsergrid backup /,
  restore: /^browsergrid restore /m,
  backup_service: /-- browsergrid backup /,
  restore_service: /-- browsergrid restore /,
  query: /dbshell -c "SELECT/,
  completions: /browsergrid completions bash/,
  containers: /^browsergrid docker build-image/,
  kubernetes: /^kubectl create namespace/,
  isolation: /^apt install /,
  ready: /--min-ready/,
  worker: /^browsergrid worker --work-pool-id default/,
  remote_worker: /browsergrid key create host-8/,
  new_page: /^curl -X PUT .*json\/new/,
  look: /session screenshot ID/,
  client: /client\.createSession/,
  events_client: /client\.streamEvents/,
  events_command: /^browsergrid events /,
  events_stream: /^curl -N ".*events\/stream\?/,
  events_resume: /^curl -N -H "Last-Event-ID/,
  webhook_command: /^browsergrid webhook create/,
  keys: /browsergrid key revoke/,
  metrics_key: /browsergrid key create prometheus/,
  receiver: /from "standardwebhooks"/,
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
  typed_plugin: /name: "team"/,
  typed_plugin_run: /serve --plugin \.\/plugin\.ts/,
  own_metric: /core\.metrics\.counter/,
  forget: /DELETE FROM grid_secrets/,
  develop: /deno task dev/,
  environment: /^\.ci\/run environment$/m,
  run_tests: /^deno test -A tests\/core/,
  benchmarks: /^deno task bench --write/m,
  image: /^deno task image$/m,
  image_of_browsers: /^ +browsergrid docker build-image$/m,
  container: /^docker run --detach --name browsergrid /,
  compose: /^docker compose up --detach$/m,
  compose_down: /^docker compose down --volumes$/m,
  native: /^deno task native +# needs gcc and /m,
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
