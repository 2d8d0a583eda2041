import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { BrowserHost } from "../../../src/core/provider.ts";
import { findBrowser } from "../../../src/providers/local/find_browser.ts";
import { local } from "../../../src/providers/local/provider.ts";
import { shortFolderName } from "../../../src/providers/kit/short_folder.ts";
import { browserSpec } from "../../support/browser_spec.ts";
import { testProvider } from "../../support/provider_contract.ts";
import type { TestMachine } from "../../support/provider_machine.ts";

/** Opens a simulated machine: a data folder, whose path is in the command lines of its browsers. */
async function openMachine(): Promise<TestMachine> {
  const dataDir = await Deno.makeTempDir();
  const hosts: BrowserHost[] = [];
  const ends: Promise<unknown>[] = [];
  const temporary = new Set<string>();
  return {
    gridId: crypto.randomUUID(),
    async openHost(owner) {
      const config = local.configSchema.parse({});
      const host = await local.open(config, { ...owner, dataDir });
      hosts.push(host);
      const start = host.start.bind(host);
      host.start = async (spec, sessionId, signal) => {
        const ids = [owner.gridId, owner.workerId, sessionId];
        temporary.add(
          join(tmpdir(), shortFolderName(join(dataDir, "local", ...ids))),
        );
        const browser = await start(spec, sessionId, signal);
        ends.push(browser.exited);
        return browser;
      };
      return host;
    },
    async listResources() {
      return [
        ...(await processes()).filter((line) => line.includes(dataDir)),
        ...await displays(),
        ...await sessionFolders(dataDir),
        ...await existing(temporary),
      ];
    },
    kill({ details: { pid } }) {
      process.kill(Number(pid), "SIGKILL");
      return Promise.resolve();
    },
    freeze({ details: { pid } }) {
      process.kill(-Number(pid), "SIGSTOP");
      return Promise.resolve();
    },
    async commandLines() {
      return (await processes()).filter((line) => line.includes(dataDir))
        .join("\n");
    },
    async [Symbol.asyncDispose]() {
      for (const host of hosts) {
        await host.sweep(new Set());
        await host[Symbol.asyncDispose]();
      }
      // Children of this process must be reaped.
      await Promise.all(ends);
      await Deno.remove(dataDir, { recursive: true });
    },
  };
}

/** Returns the command lines of all processes. */
async function processes(): Promise<readonly string[]> {
  const { stdout } = await new Deno.Command("ps", { args: ["-eo", "args="] })
    .output();
  return new TextDecoder().decode(stdout).split("\n");
}

/** Returns the virtual displays that this process has started. */
async function displays(): Promise<readonly string[]> {
  const { stdout } = await new Deno.Command("ps", {
    args: ["-o", "stat=,args=", "--ppid", String(Deno.pid)],
  }).output();
  return new TextDecoder().decode(stdout).split("\n").filter((line) =>
    line.includes("Xvfb") && !line.startsWith("Z")
  );
}

/** Returns the existing ones of `paths`: temporary files that killed browsers leave. */
async function existing(paths: Iterable<string>): Promise<readonly string[]> {
  const all = await Promise.all([...paths].map(async (path) => ({
    path,
    isThere: await Deno.stat(path).then(() => true, () => false),
  })));
  return all.filter(({ isThere }) => isThere).map(({ path }) => path);
}

/** Returns the folders of sessions: `local/<grid>/<worker>/<session>`. */
async function sessionFolders(dataDir: string): Promise<readonly string[]> {
  const found: string[] = [];
  async function walk(path: string, depth: number): Promise<void> {
    if (depth === 0) return void found.push(path);
    const entries = await Array.fromAsync(Deno.readDir(path)).catch(() => []);
    for (const { name } of entries) await walk(join(path, name), depth - 1);
  }
  await walk(join(dataDir, "local"), 3);
  return found;
}

const skip = await findBrowser(undefined)
  ? undefined
  : "no Chrome or Chromium on this machine";

testProvider("local", { open: openMachine, spec: browserSpec, skip });
