/** The documentation's services, started by a real systemd, with real browsers. */
import assert from "node:assert/strict";
import { z } from "zod";
import { snippet } from "../e2e/docs_scene.ts";
import { startSystemdMachine, systemdMissing } from "./systemd_machine.ts";

const SERVER = "browsergrid-server.service";
const WORKERS = ["default", "isolated"].map((pool) =>
  `browsergrid-worker@${pool}.service`
);

const NAME =
  "the services of systemd start browsers, restart without losing them, and end in good order";

Deno.test({
  name: systemdMissing === undefined ? NAME : `${NAME} (${systemdMissing})`,
  ignore: systemdMissing !== undefined,
  async fn(t) {
    await using machine = await startSystemdMachine();
    await machine.run(snippet("services"));
    const grid = (command: string) =>
      `. /etc/browsergrid/server.env; export BROWSERGRID_API_KEY; browsergrid ${command}`;
    const listProcesses = async (pattern: RegExp) =>
      (await machine.run("ps axww -o args")).split("\n").filter((line) =>
        pattern.test(line)
      );

    await t.step("the server's data are for its user only", async () => {
      assert.equal(
        await machine.run("stat -c '%U %a' /var/lib/browsergrid"),
        "browsergrid 700",
      );
      const shown = await machine.run(
        `ps ax -o args; systemctl show ${SERVER}`,
      );
      assert.match(
        shown,
        /main\.js serve --data-dir \/var\/lib\/browsergrid$/m,
      );
      const file = await machine.run("cat /etc/browsergrid/server.env");
      const [, key = ""] = /^BROWSERGRID_API_KEY=(\w{64})$/.exec(file) ?? [];
      assert.ok(key !== "" && !shown.includes(key));
      await machine.run(
        "runuser -u browsergrid -- browsergrid key create ci --role client --direct --data-dir /var/lib/browsergrid",
      );
      const owners = await machine.run("stat -c %U /var/lib/browsergrid/*");
      assert.match(owners, /^(browsergrid\n?)+$/);
      const modes = await machine.run("stat -c %a /etc/browsergrid/*.env");
      assert.equal(modes, "600\n600\n600");
    });

    await t.step("a backup, and its restore", async () => {
      const backup = await machine.run(snippet("backup_service"));
      assert.match(backup, /Backed up /);
      await machine.run(grid("pool create local --name later"));
      await machine.run(snippet("restore_service"));
      const pools = await machine.until(
        "the server is ready",
        grid("pool list --json"),
      );
      assert.match(pools, /"default"/);
      assert.doesNotMatch(pools, /"later"/);
    });

    const ids: string[] = [];
    await t.step("a browser, and an isolated one", async () => {
      await machine.run(
        grid(`pool create local --name isolated
        key=$(browsergrid key create isolated --role worker --pool isolated)
        umask 077
        echo "BROWSERGRID_API_KEY=$key
BROWSERGRID_LOCAL_SANDBOX=require" > /etc/browsergrid/worker-isolated.env
        systemctl start ${WORKERS.join(" ")}`),
      );
      for (const pool of ["default", "isolated"]) {
        const text = await machine.run(
          grid(`session create --wait --json --pool ${pool} 2>/dev/null`),
        );
        const session = z.object({ id: z.string(), status: z.string() })
          .parse(JSON.parse(text));
        assert.equal(session.status, "running");
        ids.push(session.id);
      }
      assert.ok((await listProcesses(/^\/usr\/bin\/bwrap /)).length > 0);
      const pages = await listProcesses(/--type=renderer/);
      assert.ok(pages.length >= 2);
      // The browser's own sandbox is on.
      assert.ok(!pages.some((line) => line.includes("--no-sandbox")));
    });

    await t.step("browsers outlive workers that are killed", async () => {
      await machine.run(
        `systemctl kill --kill-whom=main --signal=KILL ${WORKERS.join(" ")}`,
      );
      for (const [index, worker] of WORKERS.entries()) {
        await machine.until(
          "the next process adopts the browser",
          `journalctl -u ${worker} | grep "Adopted the browser of session ${
            ids[index]
          }"`,
        );
        const content = grid(`session content ${ids[index]}`);
        assert.match(await machine.until("it responds", content), /<html>/);
      }
    });

    await t.step("stopped workers wait for their sessions", async () => {
      await machine.run(`systemctl stop --no-block ${WORKERS.join(" ")}`);
      for (const worker of WORKERS) {
        await machine.until(
          "the worker drains",
          `journalctl -u ${worker} | grep Draining`,
        );
      }
      await machine.run(grid(`session stop ${ids.join(" ")}`));
      await machine.run(`systemctl stop ${WORKERS.join(" ")} ${SERVER}`);
      for (const unit of [...WORKERS, SERVER]) {
        const result = await machine.run(
          `systemctl show -P Result -P ActiveState ${unit}`,
        );
        assert.deepEqual(result.split("\n").sort(), ["inactive", "success"]);
      }
      assert.deepEqual(await listProcesses(/chromium|bwrap|main\.js/), []);
      const left = await machine.run("ls /tmp /var/tmp /dev/shm");
      assert.doesNotMatch(left, /browsergrid|chromium/i);
    });
  },
});
