import assert from "node:assert/strict";
import { browserSpec } from "../../../support/browser_spec.ts";
import {
  createIsolatedSpec,
  declareBoxTest,
  NEVER,
  openHome,
} from "./box_scene.ts";

declareBoxTest(
  "local_sandbox selects the sessions that are isolated",
  async () => {
    await using at = await openHome();
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
  },
);

declareBoxTest(
  "a pool that limits egress isolates its sessions, and rejects them if the limit cannot be enforced",
  async () => {
    await using at = await openHome();
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
  await using at = await openHome();
  const executable_path = await at.script("exit 1");
  const host = at.open({ executable_path });
  const path = Deno.env.get("PATH") ?? "";
  Deno.env.set("PATH", "/nowhere");
  try {
    await assert.rejects(
      host.start(createIsolatedSpec(), "session-1", NEVER),
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
    assert.deepEqual(await at.listResources(), []);
  } finally {
    Deno.env.set("PATH", path);
  }
});
