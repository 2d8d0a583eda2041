/** Runs every snippet of the documentation, as written, against a real grid. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { readDenoVersion } from "../../.ci/release/project.ts";
import { createClient } from "../../src/client/client.ts";
import { dockerMissing } from "../support/docker.ts";
import { RECIPE_PAGES } from "../support/doc_recipe.ts";
import { ROOT } from "../support/doc_snippets.ts";
import { startHranaServer } from "../support/hrana_server.ts";
import { BENCHMARKS } from "../bench/benchmarks.ts";
import { runNode } from "../support/node_client.ts";
import { openShell } from "../support/shell.ts";
import { scene, snippet, SNIPPETS, snippets, succeeds } from "./docs_scene.ts";

/** Snippets that other tests run, and the files of these tests. */
const ELSEWHERE = {
  install: "tests/deploy/install_test.ts",
  kubernetes: "tests/providers/kubernetes/kubectl_test.ts",
  services: "tests/deploy/services_test.ts",
  backup_service: "tests/deploy/services_test.ts",
  restore_service: "tests/deploy/services_test.ts",
  app: "tests/plugins/docs_app_test.ts",
  app_run: "tests/plugins/docs_app_test.ts",
  provider: "tests/plugins/docs_provider_test.ts",
  provider_run: "tests/plugins/docs_provider_test.ts",
  image_of_browsers: "tests/ci/image_test.ts",
  container: "tests/ci/image_test.ts",
  compose: "tests/e2e/compose_test.ts",
  compose_down: "tests/e2e/compose_test.ts",
  typed_plugin: "tests/ci/npm_test.ts",
  typed_plugin_run: "tests/ci/npm_test.ts",
  remote_worker: "tests/faults/two_hosts.ts",
  own_metric: "tests/apps/metrics/own_metric_test.ts",
  receiver: "tests/e2e/webhook_receiver_test.ts",
  events_client: "tests/e2e/docs_events_test.ts",
  events_command: "tests/e2e/docs_events_test.ts",
  events_stream: "tests/e2e/docs_events_test.ts",
  events_resume: "tests/e2e/docs_events_test.ts",
  webhook_command: "tests/e2e/docs_events_test.ts",
};

/** The Puppeteer that npm selects on the oldest supported Node, 20. */
const OLDEST_PUPPETEER = "puppeteer-core-oldest";

const PAGE = "data:text/html,<title>Through%20the%20grid</title>";

async function prints(source: string, expected: string): Promise<void> {
  const { code, stdout, stderr } = await runNode(source, [PAGE]);
  assert.deepEqual([stderr, stdout.trim(), code], ["", expected, 0], source);
}

Deno.test("every snippet of the documentation is run by a test", async () => {
  const seen = new Map<string, string>();
  for (const { place, text } of snippets) {
    if (RECIPE_PAGES.some((page) => place.startsWith(page))) continue;
    const names = Object.entries(SNIPPETS).filter(([, { source, flags }]) =>
      new RegExp(source, flags).test(text)
    );
    assert.equal(names.length, 1, `${place} is ${JSON.stringify(names)}`);
    const [[name] = [place]] = names;
    assert.equal(seen.get(name), undefined, `${place} repeats "${name}"`);
    seen.set(name, place);
  }
  for (const file of Object.values(ELSEWHERE)) {
    assert.match(await Deno.readTextFile(join(ROOT, file)), /documentation/);
  }
});

Deno.test("the documentation's tasks exist, and its Deno and packages are the tested ones", async () => {
  const { tasks } = JSON.parse(
    await Deno.readTextFile(join(ROOT, "deno.json")),
  );
  const ci = await Deno.readTextFile(join(ROOT, ".ci/run"));
  const version = await readDenoVersion();
  const [, packages = ""] = /^apt install (.*)$/.exec(snippet("isolation")) ??
    [];
  for (const name of packages.split(" ")) {
    assert.match(ci, new RegExp(`for package in .*\\b${name}\\b`));
  }
  assert.match(ci, /"\$\{1:-\}" = environment/);
  const commands = [
    "start",
    "test",
    "develop",
    "run_tests",
    "benchmarks",
    "native",
    "image",
  ] as const;
  for (const text of commands.map(snippet)) {
    for (const [, task = ""] of text.matchAll(/ task (\w+)/g)) {
      assert.ok(task in tasks, task);
    }
    for (const [, named] of text.matchAll(/deno@(\S+)/g)) {
      assert.equal(named, version);
    }
  }
});

Deno.test("the documentation's benchmarks exist", () => {
  const [, names = ""] = /bench ([a-z][^#]*)/.exec(snippet("benchmarks")) ?? [];
  const named = names.trim().split(" ");
  assert.deepEqual(named.filter((name) => !(name in BENCHMARKS)), []);
});

Deno.test("the documentation's commands for single tests run them", async () => {
  await using shell = await openShell({});
  for (const [command] of snippet("run_tests").matchAll(/^deno test .*$/gm)) {
    const run = command.replace("deno test", "deno test --no-check");
    assert.match(await succeeds(shell, `cd ${ROOT}\n${run}`), /^ok \|/m);
  }
});

Deno.test("the documentation's clients and commands work as written with a grid without keys", async (t) => {
  await using grid = await scene(["--with-worker"]);
  const { shell, here } = grid;
  const old = (source: string) =>
    source.replace(`"puppeteer-core"`, `"${OLDEST_PUPPETEER}"`);
  const again =
    `;console.log(await (await again.pages())[0].evaluate("6 * 7"));` +
    `await again.close();`;

  await t.step(
    "Puppeteer and Playwright, the newest and the oldest",
    async () => {
      const programs = [
        here("puppeteer"),
        old(here("puppeteer")),
        here("playwright"),
      ];
      for (const source of programs) await prints(source, "Through the grid");
    },
  );

  await t.step("a client that comes back", async () => {
    for (const source of [here("keep_alive"), old(here("keep_alive"))]) {
      await prints(source + again, "42");
    }
  });

  const created = JSON.parse(await succeeds(shell, here("create")));
  await t.step("a session by curl", () => {
    assert.equal(created.status, "running", created.status_reason);
  });

  await t.step("the addresses of a server", async () => {
    const index = JSON.parse(await succeeds(shell, here("index")));
    assert.match(JSON.stringify(index), /\/v1\/connect/);
  });

  await t.step("a session by the command line", async () => {
    assert.match(await succeeds(shell, here("first_session")), /running/);
  });

  await t.step("its pages by HTTP, and captures of them", async () => {
    const withId = (text: string) =>
      text.replaceAll(/\bID\b/g, created.id)
        // Tests send no requests to other hosts.
        .replace("https://example.com/", "about:blank");
    const opened = await succeeds(shell, withId(here("new_page")));
    assert.equal(JSON.parse(opened).type, "page");
    assert.match(await succeeds(shell, withId(here("look"))), /<html/);
    for (const file of ["page.png", "page.pdf"]) {
      assert.ok((await Deno.stat(join(shell.folder, file))).size > 0, file);
    }
  });

  await t.step("the typed client", async () => {
    const client = join(ROOT, "src/client/client.ts");
    const file = join(shell.folder, "client.ts");
    const text = here("client").replace(/"[^"]*client\.ts"/, `"${client}"`);
    await Deno.writeTextFile(file, text);
    const run = `deno run --quiet --no-check --config ${ROOT}deno.json -A`;
    assert.match(await succeeds(shell, `${run} ${file}`), /^ws:\/\//);
  });

  await t.step("queries, completions and settings", async () => {
    assert.match(await succeeds(shell, here("query")), /running/);
    const [bash = ""] = here("completions").split("\n");
    await succeeds(shell, `set +u\n${bash}\ncomplete -p browsergrid`);
    const settings = `${here("middleware")}\nbrowsergrid settings --values`;
    assert.match(await succeeds(shell, settings), /rate_limit/);
  });

  await t.step("a backup, and its restore in another folder", async () => {
    assert.match(await succeeds(shell, here("backup")), /^Backed up /);
    const other = `export BROWSERGRID_DATA_DIR=${shell.folder}/other`;
    assert.match(
      await succeeds(shell, `${other}\n${here("restore")}`),
      /^Restored /,
    );
  });

  await t.step("browsers kept ready, and another worker", async () => {
    await succeeds(shell, here("ready"));
    const lines = here("worker").replace("https://grid.example", grid.url);
    await shell.until(
      `${lines.trim()} --worker-name other`,
      /serves work pool/,
    );
  });

  await t.step({
    name: "a pool of containers",
    ignore: dockerMissing !== undefined,
    async fn() {
      // All container tests use the same image.
      const lines = here("containers").replace(/^.*build-image\n/, "");
      await shell.until(lines, /serves work pool/);
    },
  });
});

Deno.test("the documentation's keys, middleware and deletions work as written with a grid that requires a key", async () => {
  await using plugin = await openShell({});
  const file = join(plugin.folder, "office_hours.js");
  await Deno.writeTextFile(file, snippet("office_hours"));
  const key = "key-of-the-documentation";
  await using grid = await scene(["--plugin", file], {
    BROWSERGRID_API_KEY: key,
    BROWSERGRID_MIDDLEWARE:
      `[{"name": "office_hours", "options": {"from": 0, "to": 24}}]`,
  });
  const answer = await fetch(`${grid.url}/health`);
  await answer.body?.cancel();
  assert.equal(answer.headers.get("x-office-hours"), "yes");
  const client = createClient({ apiUrl: grid.url, apiKey: key });
  await client.createPool({ name: "containers", provider_type: "local" });
  const [create = "", revoke = ""] = grid.here("keys").split(
    /(?=browsergrid key revoke)/,
  );
  assert.match(await succeeds(grid.shell, create), /host-7/);
  const [{ prefix = "" } = {}] = (await client.listKeys()).items;
  await succeeds(grid.shell, revoke.replace(/bg_\w+/, prefix));
  const metrics = await succeeds(grid.shell, grid.here("metrics_key"));
  assert.match(metrics, /^bg_/);
  await succeeds(grid.shell, grid.here("forget"));
});

Deno.test("the documentation's remote database and hosted API work as written", async () => {
  const token = "token-of-the-database";
  await using database = await startHranaServer({ authToken: token });
  await using shell = await openShell({
    BROWSERGRID_API_KEY: "key-of-the-documentation",
    BROWSERGRID_PORT: "0",
    DENO_SERVE_ADDRESS: "tcp:127.0.0.1:0",
  });
  await shell.command(
    "turso",
    `case "$*" in *tokens*) echo ${token};; *--url) echo ${database.url};; esac`,
  );
  // Tests never listen on every address.
  const remote = snippet("remote").replace("0.0.0.0", "127.0.0.1");
  await shell.until(remote, /API +http:/);
  const api = snippet("hosted").replace("./src/", join(ROOT, "src/"));
  await Deno.writeTextFile(join(shell.folder, "api.ts"), api);
  const run = snippet("hosted_run")
    .replace("libsql://grid.example", database.url)
    .replace("DATABASE_AUTH_TOKEN=…", `DATABASE_AUTH_TOKEN=${token}`)
    .replace("ENCRYPTION_KEY=…", `ENCRYPTION_KEY=${"0".repeat(64)}`)
    .replace("API_KEY=…", "API_KEY=key-of-the-documentation")
    .replace("deno run", `deno run --no-check --config ${ROOT}deno.json`);
  await shell.until(run, /Listening on http/);
  const bundle = snippet("hosted_bundle");
  await succeeds(
    shell,
    `out=$PWD; cd ${ROOT}; ${bundle.replace("-o api.js", "-o $out/api.js")}`,
  );
  assert.ok((await Deno.stat(join(shell.folder, "api.js"))).size > 0);
});
