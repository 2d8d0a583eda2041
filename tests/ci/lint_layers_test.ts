import assert from "node:assert/strict";
import plugin from "../../.ci/lint_layers.ts";

/** Returns the faults of a file that imports `specifier`. */
function findFaults(file: string, specifier: string): readonly string[] {
  const source = `import { a } from "${specifier}";\nexport const b = a;`;
  return Deno.lint.runPlugin(plugin, `/grid/src/${file}`, source)
    .map(({ message }) => message);
}

const ALLOWED = [
  ["core/app.ts", "../async/clock.ts"],
  ["http/router.ts", "../core/errors.ts"],
  ["providers/local/host.ts", "../kit/child_environment.ts"],
  ["apps/sessions/manager.ts", "../workerpool/manager.ts"],
  ["apps/sessions/store/queue/claim.ts", "../../../workers/models.ts"],
  ["gateway/target.ts", "../apps/sessions/manager.ts"],
  ["client/client.ts", "../apps/sessions/schemas.ts"],
  ["dashboard/index_routes.ts", "../http/base_url.ts"],
  ["dashboard/page/api/client.ts", "../../../client/client.ts"],
] as const;

const REJECTED = [
  ["async/clock.ts", "../core/errors.ts"],
  ["core/app.ts", "../http/router.ts"],
  ["http/router.ts", "../apps/sessions/manager.ts"],
  ["providers/local/host.ts", "../../http/router.ts"],
  ["apps/workerpool/manager.ts", "../sessions/manager.ts"],
  ["apps/sessions/manager.ts", "../workerpool/store/pools.ts"],
  ["gateway/target.ts", "../apps/sessions/store/queue/claim.ts"],
  ["client/client.ts", "../apps/sessions/manager.ts"],
  ["worker/worker.ts", "../apps/workers/schemas.ts"],
  ["cli/serve.ts", "../gateway/app.ts"],
  ["dashboard/app.ts", "../gateway/app.ts"],
  ["dashboard/app.ts", "./page/main.tsx"],
  ["dashboard/page/main.tsx", "../../http/router.ts"],
  ["dashboard/page/main.tsx", "../page_routes.ts"],
] as const;

Deno.test("imports in the direction of the layout pass", () => {
  for (const [file, specifier] of ALLOWED) {
    assert.deepEqual(findFaults(file, specifier), [], `${file} ${specifier}`);
  }
});

Deno.test("imports against the direction of the layout are reported", () => {
  for (const [file, specifier] of REJECTED) {
    assert.equal(findFaults(file, specifier).length, 1, `${file} ${specifier}`);
  }
});

Deno.test("a barrel is reported", () => {
  const found = Deno.lint.runPlugin(
    plugin,
    "/grid/src/core/all.ts",
    'export * from "./app.ts";',
  );
  assert.deepEqual(found.map(({ id }) => id), ["layers/no-barrel"]);
});
