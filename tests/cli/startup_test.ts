import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { cli } from "../support/cli.ts";
import { runProgram } from "../support/program.ts";

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

Deno.test("the version loads only itself and the output", async () => {
  assert.deepEqual(await listStaticModules("main.ts"), [
    "main.ts",
    "src/cli/output.ts",
    "src/cli/version.ts",
    "src/core/text.ts",
    "deno.json",
  ]);
});

Deno.test("the help of the program loads declarations, and of packages only commander", async () => {
  const modules = await listStaticModules("src/cli/program.ts");
  assert.ok(modules.length <= 33, modules.join("\n"));
  const others = modules.filter((path) =>
    !/^src\/cli\/|^src\/core\/(nearest|text)\.ts|^deno\.json|^node:path$/.test(
      path,
    )
  );
  assert.deepEqual(
    others.map((path) => path.replace(/@[^@]*$/, "")),
    ["npm:commander"],
  );
});

Deno.test("a command of the API's client loads no app, server, gateway, worker or database before it runs", async () => {
  const modules = await listStaticModules("src/cli/pool/pool.ts");
  assert.ok(modules.length <= 20, modules.join("\n"));
  const heavy = modules.filter((path) =>
    /^src\/(server|gateway|worker|db|http|middleware|reconciler|plugin|apps|client|providers)\//
      .test(path) || /^npm:(?!zod|commander)/.test(path)
  );
  assert.deepEqual(heavy, []);
});

Deno.test("a server without a worker loads no worker, plugin, tunnel, stream, event stream, remote database or engine's library", async () => {
  const modules = new Set([
    ...await listStaticModules("src/cli/serve/serve.ts"),
    ...await listStaticModules("src/cli/plugins.ts"),
  ]);
  assert.ok(modules.size <= 368, [...modules].join("\n"));
  const unused = [...modules].filter((path) =>
    /^src\/(client|plugin|worker\/(?!reap_orphans))|^src\/apps\/events\/stream|^src\/dashboard\/page|^src\/gateway\/(.*stream|dialer|client|tunnel\/(?!app|routes|handover))|^npm:\/?(@libsql|ws|dockerode|swagger|@puppeteer)|libsql\/web/
      .test(path)
  );
  assert.deepEqual(unused, []);
});

Deno.test("a worker loads no server", async () => {
  const modules = await listStaticModules("src/cli/worker/run_worker.ts");
  const ofServer = modules.filter((path) =>
    /^src\/(server|gateway|db|http|reconciler)\/|^src\/cli\/serve/.test(path)
  );
  assert.deepEqual(ofServer, []);
});

Deno.test("the version is the same before and after the program is loaded", async () => {
  const { out } = await cli("--version");
  for (const args of [["--version"], ["-V"], ["-V", "pool", "--unknown"]]) {
    const { code, stdout, stderr } = await runProgram(args);
    assert.deepEqual([code, stdout.trim(), stderr], [0, out.trim(), ""]);
  }
});
