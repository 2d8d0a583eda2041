/**
 * Uses the files that were embedded in a compiled program, in a network without other hosts, with an empty cache and
 * without the project:
 *
 * ```text
 * embedded_program.ts FOLDER bundle   every kind of command, a plugin and a browser
 * embedded_program.ts FOLDER source   the server
 * ```
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { createClient } from "../../src/client/client.ts";
import { cdpClient } from "../support/cdp_client.ts";
import { hideProject } from "../support/closed_network.ts";
import { dockerMissing } from "../support/docker.ts";
import {
  type ProgramOptions,
  type RunningProgram,
  runProgram,
  startProgram,
} from "../support/program.ts";

/** A plugin, which gets the program's API as an argument. */
const PLUGIN = `export default ({ z, beforeAfter }) => ({
  name: "planted_plugin",
  middleware: [beforeAfter({
    name: "planted_header",
    optionsSchema: z.strictObject({}),
    after: (c) => c.header("x-planted", "yes"),
  })],
});`;

const [folder = "", kind = "", main = ""] = Deno.args;
const options: ProgramOptions = {
  under: hideProject(folder),
  ...kind === "bundle" ? { bundle: main } : { main },
};
const env = {
  DENO_DIR: join(folder, "cache"),
  HOME: join(folder, "home"),
  // The name of the folder of packages in the compiled program.
  NPM_CONFIG_REGISTRY: "http://localhost",
};
const dataDir = ["--data-dir", join(folder, "data")];
await Deno.mkdir(env.HOME);
const networks = Deno.networkInterfaces().map(({ name }) => name);
assert.deepEqual([...new Set(networks)], ["lo"]);

assert.match(await run("--version"), /^\d+\.\d+\.\d+/);
const applied = await run("migrate", ...dataDir, "--json");
assert.ok(JSON.parse(applied).applied.length > 10);
const plugin = join(folder, "plugin.ts");
await Deno.writeTextFile(plugin, PLUGIN);
await using server = startProgram(
  ["serve", "--port", "0", ...dataDir, "--plugin", plugin],
  env,
  options,
);
const [, apiUrl = ""] = await server.until(/API +(http:\S+)\/v1/);
assert.match(server.output(), /Plugins +planted_plugin/);
const atServer = ["--api-url", apiUrl, "--json"];
await run("pool", "create", "local", "--name", "own", ...atServer);
const pools = JSON.parse(await run("pool", "list", ...atServer));
assert.equal(pools.length, 1);
for (const path of ["/docs", "/docs/swagger-ui-bundle.js"]) {
  const response = await fetch(apiUrl + path);
  assert.equal(response.status, 200, path);
  assert.equal(response.headers.get("x-planted"), "yes");
  await response.body?.cancel();
}
if (kind === "bundle") {
  const found = await run("check", ...dataDir);
  if (dockerMissing === undefined) assert.match(found, /ok +docker engine/);
  await using worker = startProgram(
    [
      ...["worker", "--work-pool-id", "own", "--api-url", apiUrl],
      ...["--data-dir", join(folder, "worker")],
    ],
    env,
    options,
  );
  await driveBrowser();
  await endInGoodOrder(worker);
}
await endInGoodOrder(server);
assert.doesNotMatch(server.output(), /\[ERR\]/);

async function run(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runProgram(args, env, options);
  assert.equal(code, 0, stderr + stdout);
  return stdout;
}

async function driveBrowser(): Promise<void> {
  const client = createClient({ apiUrl });
  const session = await client.createSession({}, { waitSeconds: 60 });
  assert.equal(session.status, "running", session.status_reason ?? "");
  const [target] = await client.listSessionTargets(session.id);
  await using page = await cdpClient(String(target?.["webSocketDebuggerUrl"]));
  assert.equal(await page.evaluate("6 * 7"), 42);
  await client.stopSession(session.id);
}

async function endInGoodOrder(program: RunningProgram): Promise<void> {
  program.kill("SIGTERM");
  assert.equal((await program.status).code, 0, program.output());
}
