/** The systemd units, checked by systemd's own tools. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { ROOT } from "../support/doc_snippets.ts";
import { testWith } from "../support/test_with.ts";

const FOLDER = join(ROOT, "deploy/systemd");

/** Units, as they are started, with the highest exposure that is accepted, in tenths: 0 is none, 100 everything. */
const UNITS = [
  ["browsergrid-server.service", 15],
  ["browsergrid-worker@default.service", 35],
] as const;

function read(unit: string): Promise<string> {
  return Deno.readTextFile(join(FOLDER, unit.replace("default", "")));
}

async function analyze(...args: readonly string[]) {
  const { code, stdout, stderr } = await new Deno.Command("systemd-analyze", {
    args: ["--no-pager", ...args],
  }).output();
  const decoder = new TextDecoder();
  return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
}

await testWith(
  ["systemd-analyze"],
  "systemd accepts the units, and rates them as little exposed",
  async (t) => {
    const folder = await Deno.makeTempDir({ prefix: "browsergrid-units-" });
    try {
      for (const [unit, exposure] of UNITS) {
        await t.step(unit, async () => {
          const path = join(folder, unit);
          // The program must exist.
          const text = (await read(unit)).replace(
            "/usr/local/bin/browsergrid",
            "/bin/true",
          );
          await Deno.writeTextFile(path, text);
          assert.deepEqual(
            await analyze("verify", "--man=no", path),
            { code: 0, output: "" },
          );
          const { code, output } = await analyze(
            ...["security", "--offline=true", `--threshold=${exposure}`, path],
          );
          assert.equal(code, 0, output);
        });
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

Deno.test("systemd waits longer for a worker than the worker for its sessions", async () => {
  const unit = await read("browsergrid-worker@default.service");
  const [, drain = ""] = /--drain-timeout (\d+)$/m.exec(unit) ?? [];
  const [, stop = ""] = /^TimeoutStopSec=(\d+)$/m.exec(unit) ?? [];
  assert.ok(Number(drain) + 20 <= Number(stop), `${drain}, ${stop}`);
});
