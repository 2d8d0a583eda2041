/**
 * The npm package, packed and installed in an empty folder, on a machine whose PATH has no Deno.
 *
 * @module
 */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { createClient } from "../../src/client/client.ts";
import { cdpClient } from "../support/cdp_client.ts";
import { gone } from "../support/eventually.ts";
import { snippet } from "../e2e/docs_scene.ts";
import {
  findNodeWithExecve,
  installNpmPackage,
} from "../support/npm_package.ts";
import { listTypeErrors } from "../support/type_errors.ts";
import { runToEnd } from "../support/run_to_end.ts";

/** Maximum size of the packed file. */
const MAX_BYTES = 5_000_000;

/** Longest time from npx to the answer of a browser, once npm has its packages in its cache. */
const FIRST_BROWSER_MS = 60_000;

/** A Node program that creates a session with the client, and prints the URL of its first page. */
const CLIENT_PROGRAM = `
  import { ApiError, createClient } from "browsergrid/client";
  const client = createClient({ apiUrl: process.argv[1] });
  const missing = await client.getSession("none").catch((error) => error);
  if (!(missing instanceof ApiError)) throw missing;
  const session = await client.createSession({}, { waitSeconds: 60 });
  const [target] = await client.listSessionTargets(session.id);
  console.log(target.webSocketDebuggerUrl);`;

/** Correct and wrong uses of the client, whose types would accept the wrong ones if they were \`any\`. */
const TYPED_PROGRAM = `
import { createClient, type SessionWire } from "browsergrid/client";
const client = createClient({ apiUrl: "http://127.0.0.1:1" });
const session: SessionWire = await client.createSession({ browser: "chrome" });
// @ts-expect-error -- it is text
export const url: number = session.connect_url;
// @ts-expect-error -- no such field
await client.createSession({ browzer: "chrome" });`;

Deno.test("the npm package reports a missing Deno in one sentence", async () => {
  const folder = await Deno.makeTempDir({ prefix: "browsergrid-npm-" });
  try {
    const command = join(folder, "browsergrid.cjs");
    await Deno.copyFile(".ci/npm/browsergrid.cjs", command);
    await Deno.writeTextFile(join(folder, "flags.json"), "[]");
    const { code, error } = await runToEnd("node", [command, "serve"]);
    assert.equal(code, 126);
    assert.match(
      error,
      /^browsergrid: npm has installed no Deno for .*, expected one in BROWSERGRID_DENO\n$/,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** A program that runs the command. */
interface Runner {
  readonly node: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Starts the installed program as a server, and waits until it is ready. */
async function serve(
  { node, env }: Runner,
  ...words: readonly string[]
) {
  // In a group of its own, as a shell starts it.
  const child = new Deno.Command("setsid", {
    args: [node, ...words, "--port", "0"],
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let text = "";
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  while (!text.includes("Stop with")) {
    const { value, done } = await reader.read();
    assert.ok(!done, text);
    text += value;
  }
  const [, apiUrl = ""] = /API +(http:\S+)\/v1/.exec(text) ?? [];
  return { child, apiUrl, endOutput: () => reader.cancel() };
}

/** Sends a signal to every process of a group. Returns false if there is none. */
async function signalGroup(id: number, signal: string): Promise<boolean> {
  const args = [`-${signal}`, "--", `-${id}`];
  return (await runToEnd("kill", args)).code === 0;
}

/** Returns the ids of the direct children of a process. */
async function listChildren(pid: number): Promise<readonly number[]> {
  const text = await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`);
  return text.split(" ").filter((id) => id !== "").map(Number);
}

Deno.test("the npm package runs beside Node or in its place, drives a browser, and has a client and types for plugins", async (t) => {
  await using npmPackage = await installNpmPackage();
  const { folder, archive, project, command } = npmPackage;
  assert.ok((await Deno.stat(archive)).size < MAX_BYTES);
  const node = (await runToEnd("which", ["node"])).out.trim();
  const PATH = `${dirname(node)}:/usr/bin:/bin`;
  // As in a Node without it.
  const withoutExecve = join(folder, "without_execve.cjs");
  await Deno.writeTextFile(withoutExecve, "delete process.execve;\n");
  const beside: Runner = {
    node,
    env: { PATH, NODE_OPTIONS: `--require ${withoutExecve}` },
  };
  const replaced: Runner = {
    node: await findNodeWithExecve(join(folder, "node")),
    env: { PATH },
  };
  const dataDir = ["--data-dir", join(folder, "data")];
  const plugin = join(project, "plugin.ts");
  // The plugin of the documentation.
  await Deno.writeTextFile(plugin, snippet("typed_plugin"));

  for (const [name, { node, env }] of Object.entries({ beside, replaced })) {
    await t.step(`commands and exit codes, ${name}`, async () => {
      const run = (args: readonly string[], more = {}) =>
        runToEnd(node, [command, ...args], { env: { ...env, ...more } });
      assert.match((await run(["--version"])).out, /^\d+\.\d+\.\d+(-dev)?\n$/);
      assert.equal((await run(["nothing"])).code, 2);
      for (const path of ["/nowhere/deno", folder]) {
        const broken = await run(["--help"], { BROWSERGRID_DENO: path });
        assert.equal(broken.code, 126);
        assert.match(broken.error, new RegExp(`cannot run ${path}: `));
      }
    });
  }

  await t.step("a browser by npx within a minute", async () => {
    const startedAt = performance.now();
    const once = ["exec", "--yes", "--ignore-scripts", "--package", archive];
    const { child, apiUrl, endOutput } = await serve(
      { node: "npm", env: {} },
      ...[...once, "--", "browsergrid", "serve", "--with-worker", ...dataDir],
    );
    const client = createClient({ apiUrl });
    const session = await client.createSession({}, { waitSeconds: 60 });
    const [target] = await client.listSessionTargets(session.id);
    {
      const url = String(target?.["webSocketDebuggerUrl"]);
      await using page = await cdpClient(url);
      assert.equal(await page.evaluate("6 * 7"), 42);
    }
    assert.ok(performance.now() - startedAt < FIRST_BROWSER_MS);
    await signalGroup(child.pid, "INT");
    await child.status;
    await endOutput();
    await gone(
      "processes",
      async () => await signalGroup(child.pid, "CONT") ? [child.pid] : [],
    );
  });

  await t.step(
    "a typed plugin, a browser and SIGTERM, in the place of Node",
    async () => {
      const { child, apiUrl, endOutput } = await serve(
        replaced,
        ...[command, "serve", "--with-worker", "--plugin", plugin, ...dataDir],
      );
      const program = await Deno.readTextFile(`/proc/${child.pid}/comm`);
      assert.equal(program.trim(), "deno");
      const { headers, body } = await fetch(`${apiUrl}/v1/sessions`);
      await body?.cancel();
      assert.equal(headers.get("x-team"), "search");
      const { out: url, error } = await runToEnd(
        node,
        ["--input-type=module", "--eval", CLIENT_PROGRAM, apiUrl],
        { cwd: project },
      );
      assert.equal(error, "");
      {
        await using page = await cdpClient(url.trim());
        assert.equal(await page.evaluate("6 * 7"), 42);
      }
      child.kill("SIGTERM");
      assert.equal((await child.status).code, 0);
      await endOutput();
      assert.ok(!await signalGroup(child.pid, "CONT"));
    },
  );

  await t.step("SIGTERM, beside Node", async () => {
    const started = await serve(beside, command, "serve", ...dataDir);
    const [deno = NaN] = await listChildren(started.child.pid);
    started.child.kill("SIGTERM");
    assert.equal((await started.child.status).code, 0);
    await started.endOutput();
    assert.throws(() => Deno.kill(deno, "SIGCONT"), Deno.errors.NotFound);
  });

  for (const [name, runner] of Object.entries({ beside, replaced })) {
    await t.step(
      `Ctrl+C, which a terminal sends to all its processes, ${name}`,
      async () => {
        const { child, endOutput } = await serve(
          runner,
          ...[command, "serve", ...dataDir],
        );
        await signalGroup(child.pid, "INT");
        assert.equal((await child.status).code, 0);
        await endOutput();
        assert.ok(!await signalGroup(child.pid, "CONT"));
      },
    );
  }

  await t.step("a killed program, beside Node", async () => {
    const started = await serve(beside, command, "serve", ...dataDir);
    const [deno = NaN] = await listChildren(started.child.pid);
    Deno.kill(deno, "SIGKILL");
    assert.equal((await started.child.status).code, 128 + 9);
    await started.endOutput();
  });

  await t.step(
    "a killed command leaves nothing, in the place of Node",
    async () => {
      const started = await serve(replaced, command, "serve", ...dataDir);
      started.child.kill("SIGKILL");
      assert.equal((await started.child.status).signal, "SIGKILL");
      await started.endOutput();
      assert.ok(!await signalGroup(started.child.pid, "CONT"));
    },
  );

  await t.step("types of plugins and of the client", async () => {
    const program = join(project, "program.mts");
    await Deno.writeTextFile(program, TYPED_PROGRAM);
    const wrong = join(project, "wrong.ts");
    const text = snippet("typed_plugin").replace(
      "c.header(",
      "c.headers(",
    );
    await Deno.writeTextFile(wrong, text);
    // The declarations themselves are checked too, without those of Node.
    const [error = "", ...others] = listTypeErrors([plugin, program, wrong]);
    assert.match(error, /'headers' does not exist/);
    assert.deepEqual(others, []);
  });
});
