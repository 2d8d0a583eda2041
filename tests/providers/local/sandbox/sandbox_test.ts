import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import process from "node:process";
import type { BrowserSpec } from "../../../../src/core/browser_spec.ts";
import type { BrowserHost } from "../../../../src/core/provider.ts";
import { findBrowser } from "../../../../src/providers/local/find_browser.ts";
import { LocalHost } from "../../../../src/providers/local/host.ts";
import { isGroupAlive } from "../../../../src/providers/local/process/process_group.ts";
import { findBoxFolder } from "../../../../src/providers/local/sandbox/box_folder.ts";
import { checkBoxSupport } from "../../../../src/providers/local/sandbox/box_support.ts";
import { browserSpec } from "../../../support/browser_spec.ts";
import { waitUntil } from "../../../support/provider_machine.ts";
import { browserCdp } from "../../../support/unix_cdp.ts";

const NEVER = new AbortController().signal;

const ability = await checkBoxSupport();
const skip = "problem" in ability
  ? ability.problem
  : await findBrowser(undefined)
  ? undefined
  : "no Chrome or Chromium on this machine";

function boxTest(name: string, fn: () => Promise<void>): void {
  if (skip !== undefined) {
    // deno-lint-ignore no-console -- the reason of a skipped test is its result
    console.log(`skipped: ${name}: ${skip}`);
  }
  Deno.test({ name, fn, ignore: skip !== undefined });
}

/** A worker's folder that several processes open in turn. */
interface Home extends AsyncDisposable {
  open(given?: {
    readonly executable_path?: string;
    readonly localSandbox?: "auto" | "require" | "off";
  }): BrowserHost;
  folderOf(session: string): string;
  /** Creates a script that every user may run. */
  script(text: string): Promise<string>;
  /** Returns the processes that name the folder, and folders of boxes. */
  left(): Promise<readonly string[]>;
}

async function home(): Promise<Home> {
  const dataDir = await Deno.makeTempDir();
  await Deno.chmod(dataDir, 0o755);
  const hosts: BrowserHost[] = [];
  const folderOf = (session: string) =>
    join(dataDir, "local/grid-1/worker-1", session);
  return {
    folderOf,
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
    async left() {
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
          await findBoxFolder(folderOf("session-1")).then((box) =>
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
async function site(): Promise<AsyncDisposable & { readonly place: string }> {
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

function isolated(
  allow: readonly string[] = [],
  given: Partial<BrowserSpec> = {},
): BrowserSpec {
  return browserSpec({
    isolated: true,
    egress: { mode: "no_private", allow, pool: "crawlers" },
    ...given,
  });
}

boxTest(
  "code in the sandbox has no rights, no processes, no network and no files of the host, and no secret",
  async () => {
    Deno.env.set("BROWSERGRID_API_KEY", "planted");
    try {
      await using at = await home();
      const executable_path = await at.script(
        `grep -E "^(CapEff|CapBnd|NoNewPrivs|Uid)" /proc/self/status
      echo "processes $(ls /proc | grep -c "^[0-9]")"
      echo "networks" $(tail -n +3 /proc/net/dev | cut -d: -f1)
      echo "root" $(ls /) ; echo "tmp" $(ls -A /tmp /run /home /root 2>/dev/null)
      echo "names" $(env | cut -d= -f1 | sort)
      env; mount -o remount,rw /usr 2>&1
      ls "$(dirname "$0")"
      find / -xdev -type s 2>/dev/null; find /profile /run /tmp -type s
      echo "DevTools listening on ws://127.0.0.1:9222/devtools/browser/1 "
      exec sleep 300`,
      );
      const host = at.open({ executable_path });
      const spec = isolated([], { environment: { TOKEN: "given" } });
      const browser = await host.start(spec, "session-1", NEVER);
      const said = await browser.logs?.(100) ?? "";
      assert.match(said, /^CapEff:\s0+$/m);
      assert.match(said, /^CapBnd:\s0+$/m);
      assert.match(said, /^NoNewPrivs:\s1$/m);
      const [, processes] = /^processes (\d+)$/m.exec(said) ?? [];
      assert.ok(Number(processes) <= 5, said);
      assert.match(said, /^networks lo$/m);
      assert.match(
        said,
        /^root bin dev etc lib lib64 proc profile run sbin tmp usr var/m,
      );
      // The folder of the browser's own file.
      assert.match(said, /^tmp \/run: \/tmp: \w+$/m);
      assert.match(said, /\nbrowser\.sh\nDevTools/);
      assert.match(said, /^TOKEN=given$/m);
      assert.doesNotMatch(said, /planted|BROWSERGRID|\.sock/);
      await browser.stop(0);
      assert.deepEqual(await at.left(), []);
    } finally {
      Deno.env.delete("BROWSERGRID_API_KEY");
    }
  },
);

boxTest(
  "no process of an isolated headful session has a secret of the worker, and its display is separate",
  async () => {
    Deno.env.set("BROWSERGRID_API_KEY", "planted");
    try {
      await using at = await home();
      const host = at.open();
      const spec = isolated([], { headless: false });
      const browser = await host.start(spec, "session-1", NEVER);
      await using cdp = await browserCdp(browser);
      const page = await cdp.page();
      assert.equal(await cdp.evaluate(page, "screen.width"), "1000");
      const record = JSON.parse(
        await Deno.readTextFile(join(at.folderOf("session-1"), "browser.json")),
      );
      assert.ok(record.companions.length > 0);
      let looked = 0;
      for await (const { name } of Deno.readDir("/proc")) {
        if (!/^\d+$/.test(name)) continue;
        const stat = await Deno.readTextFile(`/proc/${name}/stat`).catch(() =>
          ""
        );
        const [, , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        const groups = [record, ...record.companions].map(({ pid }) =>
          `${pid}`
        );
        if (!groups.includes(group ?? "")) continue;
        looked++;
        const environ = await Deno.readTextFile(`/proc/${name}/environ`)
          .catch(() => "");
        assert.doesNotMatch(environ, /planted|BROWSERGRID_/, name);
      }
      assert.ok(looked > 8, `${looked} processes`);
      await browser.stop(2_000);
      assert.deepEqual(await at.left(), []);
    } finally {
      Deno.env.delete("BROWSERGRID_API_KEY");
    }
  },
);

boxTest(
  "adopt() gives the next process an isolated browser with its network, and stop() leaves nothing of it",
  async () => {
    await using at = await home();
    await using allowed = await site();
    const first = at.open();
    const spec = isolated([allowed.place]);
    const started = await first.start(spec, "session-1", NEVER);
    assert.equal(started.endpoint.port, "0");
    await first[Symbol.asyncDispose]();
    const [browser, ...others] = await at.open().adopt();
    assert.ok(browser);
    assert.deepEqual(others, []);
    assert.equal(browser.endpoint.href, started.endpoint.href);
    {
      await using cdp = await browserCdp(browser);
      const page = await cdp.page();
      assert.equal(
        await cdp.visit(page, `http://${allowed.place}/`),
        "SITE-OK",
      );
      assert.match(
        await cdp.visit(page, "http://127.0.0.1:8000/"),
        /^Cannot connect to 127\.0\.0\.1:8000: /,
      );
    }
    await browser.stop(2_000);
    assert.equal((await browser.exited).reason, "stopped");
    await waitUntil(async () => (await at.left()).length === 0);
  },
);

boxTest(
  "an isolated browser ends completely and is crashed when its processes are killed",
  async () => {
    await using at = await home();
    const host = at.open();
    for (const signalled of [1, -1]) {
      const browser = await host.start(isolated(), "session-1", NEVER);
      const pid = Number(browser.details["pid"]);
      process.kill(pid * signalled, "SIGKILL");
      assert.equal((await browser.exited).reason, "crashed");
      await browser.stop(0);
      assert.ok(!await isGroupAlive(pid));
      assert.deepEqual(await at.left(), []);
    }
  },
);

boxTest(
  "an isolated browser that its client closes leaves nothing, even before it is stopped",
  async () => {
    await using at = await home();
    const browser = await at.open().start(isolated(), "session-1", NEVER);
    await using cdp = await browserCdp(browser);
    await cdp.call("Browser.close");
    assert.deepEqual(await browser.exited, {
      reason: "stopped",
      detail: "the browser was closed",
    });
    await waitUntil(async () =>
      !await isGroupAlive(Number(browser.details["pid"]))
    );
    await browser.stop(0);
    assert.deepEqual(await at.left(), []);
  },
);

boxTest(
  "a start that is aborted at any time leaves nothing of the sandbox",
  async () => {
    await using at = await home();
    const host = at.open();
    for (const afterMs of [0, 20, 60, 150, 300]) {
      const abort = new AbortController();
      const unwanted = new Error("no longer wanted");
      const timer = setTimeout(() => abort.abort(unwanted), afterMs);
      try {
        // A start that is faster than the abort succeeds.
        await (await host.start(isolated(), "session-1", abort.signal)).stop(0);
      } catch (error) {
        assert.equal(error, unwanted);
      } finally {
        clearTimeout(timer);
      }
      assert.deepEqual(await at.left(), [], `after ${afterMs} ms`);
    }
  },
);

boxTest("local_sandbox selects the sessions that are isolated", async () => {
  await using at = await home();
  const executable_path = await at.script(
    'echo "DevTools listening on ws://127.0.0.1:9222/devtools/browser/1 "; exec sleep 300',
  );
  const cases = [
    { localSandbox: "auto", isolated: true, isBoxed: true },
    { localSandbox: "auto", isolated: false, isBoxed: false },
    { localSandbox: "require", isolated: false, isBoxed: true },
    { localSandbox: "off", isolated: true, isBoxed: false },
  ] as const;
  for (const { localSandbox, isolated, isBoxed } of cases) {
    const host = at.open({ executable_path, localSandbox });
    const spec = browserSpec({ isolated });
    const browser = await host.start(spec, "session-1", NEVER);
    await browser.stop(0);
    assert.equal(browser.socketPath !== undefined, isBoxed, localSandbox);
  }
});

boxTest(
  "a pool that limits egress isolates its sessions, and rejects them if the limit cannot be enforced",
  async () => {
    await using at = await home();
    const executable_path = await at.script(
      'echo "DevTools listening on ws://127.0.0.1:9222/devtools/browser/1 "; exec sleep 300',
    );
    for (const mode of ["no_private", "none"] as const) {
      const egress = { mode, allow: [], pool: "crawlers" };
      const spec = browserSpec({ egress });
      const host = at.open({ executable_path });
      const browser = await host.start(spec, "session-1", NEVER);
      await browser.stop(0);
      assert.notEqual(browser.socketPath, undefined, mode);
      const open = at.open({ executable_path, localSandbox: "off" });
      await assert.rejects(
        open.start(spec, "session-1", NEVER),
        /the egress of work pool "crawlers" is .* expected local_sandbox "auto"/,
      );
    }
  },
);

Deno.test("an isolated session fails with a reason and advice if the sandbox is impossible", async () => {
  await using at = await home();
  const executable_path = await at.script("exit 1");
  const host = at.open({ executable_path });
  const path = Deno.env.get("PATH") ?? "";
  Deno.env.set("PATH", "/nowhere");
  try {
    await assert.rejects(
      host.start(isolated(), "session-1", NEVER),
      Deno.build.os === "linux"
        ? /Cannot isolate the session from its host: bwrap and socat(?: and setpriv)? not found on the PATH, expected .* install bubblewrap socat.* local_sandbox "off"/
        : /Cannot isolate the session from its host: .* on Linux/,
    );
    const checked = await host.check();
    const found = checked.find(({ name }) => name === "isolation");
    assert.equal(found?.status, "warn");
    assert.match(
      found?.detail ?? "",
      /^Sessions of client keys cannot be isolated/,
    );
    assert.deepEqual(await at.left(), []);
  } finally {
    Deno.env.set("PATH", path);
  }
});
