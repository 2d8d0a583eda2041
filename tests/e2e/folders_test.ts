import assert from "node:assert/strict";
import { createClient } from "../../src/client/client.ts";
import { assertNothingLeft } from "../support/leaks.ts";
import { startProgram } from "../support/program.ts";

/** Returns a path of `bytes` bytes below `root`, in parts of at most 100. */
function longPath(root: string, bytes: number): string {
  let path = root;
  while (path.length < bytes) {
    const part = Math.max(1, Math.min(bytes - path.length - 1, 100));
    path += `/${"x".repeat(part)}`;
  }
  return path;
}

/** Names of data folders, each with the length of a TMPDIR. */
const PLACES = [
  { name: "a%20b/feature%2Fone 50%", tmpdir: 44 },
  { name: "two words #1?x=y/grün 日本 'quoted' \"$HOME\"", tmpdir: 78 },
  { name: "y".repeat(120) + "/" + "z".repeat(120), tmpdir: 200 },
];

for (const { name, tmpdir } of PLACES) {
  Deno.test(`serve, worker and session work in "${name.slice(0, 50)}" (${name.length} characters), with a TMPDIR of ${tmpdir} bytes`, async () => {
    const root = await Deno.makeTempDir({ dir: "/tmp", prefix: "bg-" });
    const TMPDIR = longPath(root, tmpdir);
    await Deno.mkdir(TMPDIR, { recursive: true });
    const dataDir = (part: string) => ["--data-dir", `${root}/${name}/${part}`];
    {
      await using serve = startProgram(
        ["serve", "--port", "0", ...dataDir("server")],
        { TMPDIR },
      );
      const [, apiUrl = ""] = await serve.until(/API +(http:\S+)\/v1/);
      const client = createClient({ apiUrl });
      await client.createPool({ name: "here", provider_type: "local" });
      await using worker = startProgram(
        [
          ...["worker", "--work-pool-id", "here", "--api-url", apiUrl],
          ...dataDir("worker"),
        ],
        { TMPDIR },
      );
      const session = await client.createSession({}, { waitSeconds: 60 });
      assert.equal(session.status, "running", worker.output());
      await client.stopSession(session.id);
      const { isFile } = await Deno.stat(
        `${root}/${name}/server/browsergrid.db`,
      );
      assert.ok(isFile);
    }
    await assertNothingLeft(root);
    await Deno.remove(root, { recursive: true });
  });
}
