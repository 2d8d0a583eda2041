import assert from "node:assert/strict";
import { readState, writeState } from "../../src/worker/state_file.ts";

Deno.test("writeState() makes a file that only its owner may read, and leaves no other", async () => {
  const folder = await Deno.makeTempDir({ prefix: "browsergrid-test-" });
  try {
    const path = `${folder}/workers/one.json`;
    await writeState(path, { name: "one", secret: "hush" });
    await writeState(path, { name: "one", secret: "hush", id: "7" });
    assert.deepEqual(await readState(path), {
      name: "one",
      secret: "hush",
      id: "7",
    });
    assert.equal(((await Deno.stat(path)).mode ?? 0) & 0o077, 0);
    const names = await Array.fromAsync(Deno.readDir(`${folder}/workers`));
    assert.deepEqual(names.map(({ name }) => name), ["one.json"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("readState() takes a file that it cannot understand for none", async () => {
  const path = await Deno.makeTempFile({ prefix: "browsergrid-test-" });
  try {
    await Deno.writeTextFile(path, '{"name":');
    assert.equal(await readState(path), undefined);
    assert.equal(await readState(`${path}.none`), undefined);
  } finally {
    await Deno.remove(path);
  }
});
