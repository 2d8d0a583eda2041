/** the documentation's provider in the real program with a real browser, and before the contract of all providers. */
import assert from "node:assert/strict";
import process from "node:process";
import { createClient } from "../../src/client/client.ts";
import { loadPlugins } from "../../src/cli/plugins.ts";
import type { BrowserHost, Provider } from "../../src/core/provider.ts";
import { browserSpec } from "../support/browser_spec.ts";
import { eventually } from "../support/eventually.ts";
import { assertNothingLeft } from "../support/leaks.ts";
import { startProgram } from "../support/program.ts";
import { testProvider } from "../support/provider_contract.ts";
import { connectTo, type Ground } from "../support/provider_ground.ts";
import {
  chromiumCommand,
  providerSource,
  savedPlugin,
} from "./docs_provider.ts";

const hasChromium = await Deno.stat("/usr/bin/chromium").then(
  () => true,
  () => false,
);
const skip = hasChromium ? undefined : "no /usr/bin/chromium on this machine";
// deno-lint-ignore no-console -- the reason of a skipped test is its result
if (skip) console.log(`skipped: the documentation's provider: ${skip}`);

Deno.test("the documentation's provider is complete in under 40 lines", async () => {
  const lines = (await providerSource()).trimEnd().split("\n");
  assert.ok(lines.length < 40, `${lines.length} lines`);
});

Deno.test({
  name:
    "the documentation's provider, loaded by --plugin, runs a session's browser and leaves nothing of it",
  ignore: skip !== undefined,
  async fn() {
    await using plugin = await savedPlugin();
    await chromiumCommand(plugin.folder);
    const dataDir = `${plugin.folder}/data`;
    await using program = startProgram(
      [
        ...["serve", "--plugin", plugin.file, "--with-worker", "own_command"],
        ...["--port", "0", "--data-dir", dataDir],
      ],
      { PATH: `${plugin.folder}:${Deno.env.get("PATH")}` },
    );
    const [, url = ""] = await program.until(/API +(http:\S+)\/v1/);
    await program.until(/Plugins +own_command/);
    const client = createClient({ apiUrl: url });
    const session = await client.createSession({ browser: "chromium" }, {
      waitSeconds: 30,
    });
    assert.equal(session.status, "running", session.status_reason ?? "");
    assert.equal(session.provider, "own_command");
    const endpoint = new URL(session.connect_url);
    {
      await using browser = await connectTo({ endpoint });
      assert.match(await browser.version(), /Chrome/);
    }
    await client.stopSession(session.id);
    await eventually(
      "the session is completed",
      async () => (await client.getSession(session.id)).status === "completed",
    );
    await assertNothingLeft(`${dataDir}/own_command`);
  },
});

async function provider(): Promise<Provider> {
  await using plugin = await savedPlugin();
  const { providers } = await loadPlugins([plugin.file]);
  const found = providers.find(({ name }) => name === "own_command");
  assert.ok(found);
  return found;
}

async function openGround(): Promise<Ground> {
  const own = await provider();
  const dataDir = await Deno.makeTempDir({ prefix: "browsergrid-plugin-" });
  const command = await chromiumCommand(dataDir);
  const hosts: BrowserHost[] = [];
  const ends: Promise<unknown>[] = [];
  const left = async () => [
    ...(await processes()).filter(({ args }) => args.includes(`${dataDir}/own`))
      .map(({ args }) => args),
    ...await folders(`${dataDir}/own_command`),
  ];
  const signal = async (name: Deno.Signal, sessionId: string) => {
    // Never a process that is not of this folder.
    const main = (await processes()).find(({ args }) =>
      args.includes(`--user-data-dir=${dataDir}/`) &&
      `${args} `.includes(`/${sessionId} `)
    );
    assert.ok(main);
    process.kill(main.pid, name);
  };
  return {
    gridId: crypto.randomUUID(),
    async openHost(owner) {
      const host = await own.open({ command }, { ...owner, dataDir });
      hosts.push(host);
      return {
        ...host,
        async start(...given) {
          const browser = await host.start(...given);
          ends.push(browser.exited);
          return browser;
        },
      };
    },
    left,
    kill: ({ sessionId }) => signal("SIGKILL", sessionId),
    freeze: ({ sessionId }) => signal("SIGSTOP", sessionId),
    commandLines: async () => (await left()).join("\n"),
    async [Symbol.asyncDispose]() {
      for (const host of hosts) {
        await host.sweep(new Set());
        await host[Symbol.asyncDispose]();
      }
      await Promise.all(ends);
      await Deno.remove(dataDir, { recursive: true });
    },
  };
}

async function processes() {
  const { stdout } = await new Deno.Command("ps", {
    args: ["-eo", "pid=,stat=,args="],
  }).output();
  return new TextDecoder().decode(stdout).split("\n").flatMap((line) => {
    const [, pid, stat = "", args = ""] = /^ *(\d+) (\S+) +(.*)$/.exec(line) ??
      [];
    return stat.startsWith("Z") ? [] : [{ pid: Number(pid), args }];
  });
}

/** Folders of sessions: `<grid>/<worker>/<session>`. */
async function folders(root: string): Promise<readonly string[]> {
  const found: string[] = [];
  async function walk(path: string, depth: number): Promise<void> {
    if (depth === 0) return void found.push(path);
    const entries = await Array.fromAsync(Deno.readDir(path)).catch(() => []);
    for (const { name } of entries) await walk(`${path}/${name}`, depth - 1);
  }
  await walk(root, 3);
  return found;
}

testProvider("the documentation's provider", {
  open: openGround,
  spec: browserSpec,
  skip,
}, {
  "prepare() is given up with the reason of its signal": "it prepares nothing",
  "start() without a screen gives the size asked for": "it sets no size",
  "start() with headless false gives a screen of the size asked for":
    "it is always headless",
  "start() turns off what the arguments do, besides what it does by itself":
    "it turns nothing off",
  "start() shows a proxy's password to nobody": "it takes no proxy",
  "logs() and stats() tell of the browser": "it has neither",
});
