import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { BrowserSpec } from "../../../../src/core/browser_spec.ts";
import type { BrowserHost } from "../../../../src/core/provider.ts";
import { findBrowser } from "../../../../src/providers/local/find_browser.ts";
import { LocalHost } from "../../../../src/providers/local/host.ts";
import { findBoxFolder } from "../../../../src/providers/local/sandbox/box_folder.ts";
import { checkBoxSupport } from "../../../../src/providers/local/sandbox/box_support.ts";
import { browserSpec } from "../../../support/browser_spec.ts";

/** A signal that is never aborted. */
export const NEVER: AbortSignal = new AbortController().signal;

const support = await checkBoxSupport();
const skip = "problem" in support
  ? support.problem
  : await findBrowser(undefined)
  ? undefined
  : "no Chrome or Chromium on this machine";

/** Declares a test that is skipped with a printed reason if this machine cannot isolate a browser. */
export function declareBoxTest(name: string, fn: () => Promise<void>): void {
  if (skip !== undefined) {
    // deno-lint-ignore no-console -- the reason of a skipped test is its result
    console.log(`skipped: ${name}: ${skip}`);
  }
  Deno.test({ name, fn, ignore: skip !== undefined });
}

/** A worker's folder that several processes open in turn. */
export interface Home extends AsyncDisposable {
  /** Opens a host with the folder. */
  open(options?: {
    readonly executable_path?: string;
    readonly localSandbox?: "auto" | "require" | "off";
  }): BrowserHost;
  /** Returns the folder of a session. */
  findFolder(session: string): string;
  /** Creates a script that every user may run. */
  script(text: string): Promise<string>;
  /** Returns the processes that name the folder, and folders of boxes. */
  listResources(): Promise<readonly string[]>;
}

/** Creates a worker's folder. */
export async function openHome(): Promise<Home> {
  const dataDir = await Deno.makeTempDir();
  await Deno.chmod(dataDir, 0o755);
  const hosts: BrowserHost[] = [];
  const findFolder = (session: string) =>
    join(dataDir, "local/grid-1/worker-1", session);
  return {
    findFolder,
    open({ localSandbox, ...config } = {}) {
      const host = new LocalHost(
        { arguments: [], sandbox: "auto", ...config },
        { gridId: "grid-1", workerId: "worker-1", dataDir, localSandbox },
      );
      hosts.push(host);
      return host;
    },
    async script(text) {
      const path = join(dataDir, "browser.sh");
      await Deno.writeTextFile(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
      return path;
    },
    async listResources() {
      const found: string[] = [];
      for await (const { name } of Deno.readDir("/proc")) {
        if (!/^\d+$/.test(name)) continue;
        const line = await Deno.readTextFile(`/proc/${name}/cmdline`)
          .catch(() => "");
        if (line.includes(dataDir)) found.push(line.replaceAll("\0", " "));
      }
      for await (const { name } of Deno.readDir("/var/tmp")) {
        const isBox = name.startsWith("browsergrid-box-");
        const isOurs = isBox &&
          await findBoxFolder(findFolder("session-1")).then((box) =>
            box?.path.endsWith(name)
          );
        if (isOurs) found.push(name);
      }
      return found;
    },
    async [Symbol.asyncDispose]() {
      for (const host of hosts) {
        await host.sweep(new Set());
        await host[Symbol.asyncDispose]();
      }
      await Deno.remove(dataDir, { recursive: true });
    },
  };
}

/** Starts a site on this host that is allowed by name. */
export async function openSite(): Promise<
  AsyncDisposable & { readonly place: string }
> {
  const server = createServer((_, response) => response.end("SITE-OK"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // The server listens on a port.
  return {
    place: `localhost:${port}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Returns the specification of an isolated browser. */
export function createIsolatedSpec(
  allow: readonly string[] = [],
  overrides: Partial<BrowserSpec> = {},
): BrowserSpec {
  return browserSpec({
    isolated: true,
    egress: { mode: "no_private", allow, pool: "crawlers" },
    ...overrides,
  });
}
