import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const ROOT = new URL("../../", import.meta.url);

/** A module of `deno info --json`. */
interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly {
    readonly isDynamic?: boolean;
    readonly code?: { readonly specifier?: string };
  }[];
}

/** Returns the modules that are loaded before a command runs, by their path or package. */
async function listStaticModules(entry: string): Promise<readonly string[]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", fileURLToPath(new URL(entry, ROOT))],
  }).output();
  const info: { readonly modules: readonly Module[] } = JSON.parse(
    new TextDecoder().decode(stdout),
  );
  const modules = new Map(info.modules.map((each) => [each.specifier, each]));
  const found = new Set([new URL(entry, ROOT).href]);
  for (const specifier of found) {
    for (const each of modules.get(specifier)?.dependencies ?? []) {
      if (!each.isDynamic && each.code?.specifier) {
        found.add(each.code.specifier);
      }
    }
  }
  return [...found].map((specifier) => specifier.replace(ROOT.href, ""));
}

Deno.test("a command loads no app, server, gateway, client, worker or database before it runs", async () => {
  const modules = await listStaticModules("main.ts");
  assert.ok(modules.includes("src/cli/program.ts"), modules.join("\n"));
  const heavy = modules.filter((path) =>
    /^src\/(server|gateway|worker|db|http|middleware|reconciler|plugin)\//.test(
      path,
    ) ||
    /^src\/apps\/(?!\w+\/status\.ts)/.test(path) ||
    /^src\/client\/(?!api_error\.ts)/.test(path) ||
    /libsql|drizzle|dockerode|puppeteer|node-server|cli-table|acorn/.test(path)
  );
  assert.deepEqual(heavy, []);
});

Deno.test("a worker loads no server", async () => {
  const modules = await listStaticModules("src/cli/worker/run_worker.ts");
  const ofServer = modules.filter((path) =>
    /^src\/(server|gateway|db|http|reconciler)\/|^src\/cli\/serve/.test(path)
  );
  assert.deepEqual(ofServer, []);
});
