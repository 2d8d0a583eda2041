import assert from "node:assert/strict";
import { createClient } from "../../src/client/client.ts";
import { eventually } from "../support/eventually.ts";
import { assertNothingLeft } from "../support/leaks.ts";
import { startProgram } from "../support/program.ts";

/** Runs the program as process 1 of a namespace, which ends with it. */
const AS_FIRST = [
  "unshare",
  "--pid",
  "--fork",
  "--kill-child",
  "--mount-proc",
  "--",
];

const SESSIONS = 20;
const AT_ONCE = 5;

/** Returns why no process namespace can be created here; undefined if one can. */
async function namespaceMissing(): Promise<string | undefined> {
  const [command = "", ...args] = [...AS_FIRST, "true"];
  try {
    const { code, stderr } = await new Deno.Command(command, { args }).output();
    return code === 0 ? undefined : new TextDecoder().decode(stderr);
  } catch (error) {
    return String(error);
  }
}

/** Returns state and parent of every process. */
async function processes() {
  const found: { pid: number; state: string; parent: number }[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await Deno.readTextFile(`/proc/${name}/stat`).catch(() => "");
    const [state = "", parent] = stat.slice(stat.lastIndexOf(")") + 2).split(
      " ",
    );
    found.push({ pid: Number(name), state, parent: Number(parent) });
  }
  return found;
}

const missing = await namespaceMissing();
// deno-lint-ignore no-console -- the reason of a skipped test is its result
if (missing !== undefined) console.log(`skipped: process 1: ${missing}`);

Deno.test({
  name:
    "as process 1 without an init the program reaps its browsers' processes: none is defunct after 20 sessions",
  ignore: missing !== undefined,
  async fn() {
    const dataDir = await Deno.makeTempDir({ prefix: "browsergrid-e2e-" });
    {
      await using program = startProgram(
        ["serve", "--with-worker", "--port", "0", "--data-dir", dataDir],
        {},
        { under: AS_FIRST },
      );
      const [, url = ""] = await program.until(/API +(http:\S+)\/v1/);
      const first = (await processes()).find(({ parent }) =>
        parent === program.pid
      );
      assert.ok(first);
      const client = createClient({ apiUrl: url });
      for (let count = 0; count < SESSIONS; count += AT_ONCE) {
        const made = await Promise.all(
          Array.from(
            { length: AT_ONCE },
            () => client.createSession({}, { waitSeconds: 60 }),
          ),
        );
        for (const { id, status } of made) {
          assert.equal(status, "running", id);
          await client.stopSession(id);
        }
        await eventually("all have ended", async () => {
          const { items } = await client.listSessions({ status: "running" });
          return items.length === 0;
        }, { withinMs: 30_000 });
      }
      await eventually("none is defunct", async () => {
        const defunct = (await processes()).filter(({ state, parent }) =>
          state === "Z" && parent === first.pid
        );
        return defunct.length === 0;
      }, { withinMs: 15_000 });
      Deno.kill(first.pid, "SIGTERM");
      await program.status;
    }
    await assertNothingLeft(dataDir);
    await Deno.remove(dataDir, { recursive: true });
  },
});
