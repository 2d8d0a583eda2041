import assert from "node:assert/strict";
import { StateFile } from "../../src/worker/state_file.ts";

/** Runs `act` with a path in a temporary folder. */
async function withPath(act: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "browsergrid-test-" });
  try {
    await act(`${folder}/workers/one.json`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("write() creates a file that only its owner may read, and read() returns the last written state", () =>
  withPath(async (path) => {
    await using file = await StateFile.open(path);
    await file.write({ name: "one", secret: "hush" });
    await file.write({ name: "one", secret: "hush", id: "7" });
    assert.deepEqual(await file.read(), {
      name: "one",
      secret: "hush",
      id: "7",
    });
    assert.equal(((await Deno.stat(path)).mode ?? 0) & 0o077, 0);
  }));

Deno.test("read() returns undefined for a missing or invalid file", () =>
  withPath(async (path) => {
    await using file = await StateFile.open(path);
    assert.equal(await file.read(), undefined);
    await Deno.writeTextFile(path, '{"name":');
    assert.equal(await file.read(), undefined);
  }));

Deno.test("StateFile.open() rejects a second opener until the first is disposed", () =>
  withPath(async (path) => {
    const first = await StateFile.open(path);
    await assert.rejects(
      StateFile.open(path),
      /another process .* expected one/,
    );
    await first[Symbol.asyncDispose]();
    await using again = await StateFile.open(path);
    assert.equal(await again.read(), undefined);
  }));
