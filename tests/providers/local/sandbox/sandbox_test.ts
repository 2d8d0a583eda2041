import assert from "node:assert/strict";
import { join } from "node:path";
import { browserCdp } from "../../../support/unix_cdp.ts";
import {
  createIsolatedSpec,
  declareBoxTest,
  NEVER,
  openHome,
} from "./box_scene.ts";

declareBoxTest(
  "code in the sandbox has no rights, no processes, no network and no files of the host, and no secret",
  async () => {
    Deno.env.set("BROWSERGRID_API_KEY", "planted");
    try {
      await using at = await openHome();
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
      const spec = createIsolatedSpec([], { environment: { TOKEN: "given" } });
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
      assert.deepEqual(await at.listResources(), []);
    } finally {
      Deno.env.delete("BROWSERGRID_API_KEY");
    }
  },
);

declareBoxTest(
  "no process of an isolated headful session has a secret of the worker, and its display is separate",
  async () => {
    Deno.env.set("BROWSERGRID_API_KEY", "planted");
    try {
      await using at = await openHome();
      const host = at.open();
      const spec = createIsolatedSpec([], { headless: false });
      const browser = await host.start(spec, "session-1", NEVER);
      await using cdp = await browserCdp(browser);
      const page = await cdp.page();
      assert.equal(await cdp.evaluate(page, "screen.width"), "1000");
      const record = JSON.parse(
        await Deno.readTextFile(
          join(at.findFolder("session-1"), "browser.json"),
        ),
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
      assert.deepEqual(await at.listResources(), []);
    } finally {
      Deno.env.delete("BROWSERGRID_API_KEY");
    }
  },
);
