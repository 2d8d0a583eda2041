/** Machine for tests of providers that start each browser as a process with a folder of its own. */
import assert from "node:assert/strict";
import process from "node:process";
import type { z } from "@hono/zod-openapi";
import type { BrowserHost, Provider } from "../../src/core/provider.ts";
import type { TestMachine } from "./provider_machine.ts";

/**
 * Opens a machine for a provider whose browsers keep their data in `<dataDir>/<provider>/<grid>/<worker>/<session>`.
 *
 * @param readConfig Returns the pool's configuration; receives a folder that is removed at the end.
 */
export async function openProcessMachine<C extends z.ZodObject>(
  provider: Provider<C>,
  readConfig: (folder: string) => z.infer<C> | Promise<z.infer<C>>,
): Promise<TestMachine> {
  const dataDir = await Deno.makeTempDir({ prefix: "browsergrid-provider-" });
  const config = await readConfig(dataDir);
  const hosts: BrowserHost[] = [];
  const ends: Promise<unknown>[] = [];
  const root = `${dataDir}/${provider.name}`;
  const left = async () => [
    ...(await listProcesses()).map(({ args }) => args)
      .filter((args) => args.includes(`${root}/`)),
    ...await listFolders(root),
  ];
  const signal = async (name: Deno.Signal, sessionId: string) => {
    // Never a process that does not belong to this folder.
    const main = (await listProcesses()).find(({ args }) =>
      args.includes(`--user-data-dir=${root}/`) &&
      `${args} `.includes(`/${sessionId} `)
    );
    assert.ok(main);
    process.kill(main.pid, name);
  };
  return {
    gridId: crypto.randomUUID(),
    async openHost(owner) {
      const host = await provider.open(config, { ...owner, dataDir });
      hosts.push(host);
      const start = host.start.bind(host);
      host.start = async (...args) => {
        const browser = await start(...args);
        ends.push(browser.exited);
        return browser;
      };
      return host;
    },
    listResources: left,
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

/**
 * Writes a command that starts the machine's Chromium into `folder`, and returns its path. As root it starts without
 * Chromium's sandbox, which needs another user.
 */
export async function writeChromiumCommand(folder: string): Promise<string> {
  const flags = Deno.uid() === 0 ? "--no-sandbox " : "";
  const command = `${folder}/chromium`;
  await Deno.writeTextFile(
    command,
    `#!/bin/sh\nexec /usr/bin/chromium ${flags}"$@" 2>/dev/null\n`,
    { mode: 0o755 },
  );
  return command;
}

/** Reason for which tests that start `/usr/bin/chromium` cannot run on this machine; undefined if they can. */
export const chromiumMissing: string | undefined = await Deno.stat(
  "/usr/bin/chromium",
).then(() => undefined, () => "no /usr/bin/chromium on this machine");

async function listProcesses() {
  const { stdout } = await new Deno.Command("ps", {
    args: ["-eo", "pid=,stat=,args="],
  }).output();
  return new TextDecoder().decode(stdout).split("\n").flatMap((line) => {
    const [, pid, stat = "", args = ""] = /^ *(\d+) (\S+) +(.*)$/.exec(line) ??
      [];
    return stat.startsWith("Z") ? [] : [{ pid: Number(pid), args }];
  });
}

/** Returns the folders of sessions: `<grid>/<worker>/<session>`. */
async function listFolders(root: string): Promise<readonly string[]> {
  const found: string[] = [];
  async function walk(path: string, depth: number): Promise<void> {
    if (depth === 0) return void found.push(path);
    const entries = await Array.fromAsync(Deno.readDir(path)).catch(() => []);
    for (const { name } of entries) await walk(`${path}/${name}`, depth - 1);
  }
  await walk(root, 3);
  return found;
}
