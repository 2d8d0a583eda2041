import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import {
  findShortFolder,
  isPrivateFolder,
  makeShortFolder,
  shortFolderName,
} from "../../../src/providers/kit/short_folder.ts";
import { removeFolders } from "../../../src/providers/local/record.ts";

/** Maximum length of a socket path that every system accepts. */
const MAX_SOCKET_BYTES = 103;

/** Creates a folder with a short path. */
async function scene(): Promise<{ root: string } & AsyncDisposable> {
  const root = await Deno.makeTempDir({ dir: "/tmp", prefix: "s" });
  return {
    root,
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

/** Returns a folder below `root` with a path of `bytes` bytes, each part at most 100. */
async function longFolder(root: string, bytes: number): Promise<string> {
  let path = root;
  while (path.length < bytes) {
    path += `/${
      "x".repeat(Math.max(1, Math.min(bytes - path.length - 1, 100)))
    }`;
  }
  await Deno.mkdir(path, { recursive: true });
  return path;
}

/** Runs `work` with another TMPDIR. */
async function withTmpdir<T>(path: string, work: () => Promise<T>): Promise<T> {
  const before = process.env["TMPDIR"];
  process.env["TMPDIR"] = path;
  try {
    return await work();
  } finally {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
  }
}

for (const bytes of [20, 44, 49, 78, 200]) {
  Deno.test(`makeShortFolder() has room for Chromium's socket with a TMPDIR of ${bytes} bytes`, async () => {
    await using test = await scene();
    const owner = await longFolder(test.root, 200);
    const tmp = await longFolder(test.root, bytes);
    const path = await withTmpdir(tmp, () => makeShortFolder(owner));
    try {
      const socket = join(
        path,
        "org.chromium.Chromium.XXXXXX",
        "SingletonSocket",
      );
      assert.ok(socket.length <= MAX_SOCKET_BYTES, socket);
      assert.equal(path.startsWith(`${tmp}/`), bytes < 30);
      assert.equal(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o700);
      await Deno.mkdir(join(socket, ".."));
      using _socket = Deno.listen({ transport: "unix", path: socket });
      assert.equal(await findShortFolder(owner), path);
    } finally {
      await removeFolders(owner);
    }
    await assert.rejects(Deno.lstat(path), Deno.errors.NotFound);
    await assert.rejects(Deno.lstat(owner), Deno.errors.NotFound);
  });
}

Deno.test("makeShortFolder() skips a link and a folder that others can use", async () => {
  await using test = await scene();
  const owner = await longFolder(test.root, 40);
  const open = join(test.root, shortFolderName(owner));
  for (
    const squat of [
      () =>
        Deno.mkdir(open, { mode: 0o777 }).then(() => Deno.chmod(open, 0o777)),
      () => Deno.symlink(test.root, open),
      () => Deno.writeTextFile(open, ""),
    ]
  ) {
    await squat();
    const path = await withTmpdir(test.root, () => makeShortFolder(owner));
    assert.equal(path, join("/tmp", shortFolderName(owner)));
    await Deno.remove(path);
    await Deno.remove(open);
  }
});

Deno.test("makeShortFolder() reuses its folder of an earlier start, and another location if TMPDIR is missing", async () => {
  await using test = await scene();
  const owner = await longFolder(test.root, 40);
  const path = await withTmpdir(
    join(test.root, "missing"),
    () => makeShortFolder(owner),
  );
  assert.equal(path, join("/tmp", shortFolderName(owner)));
  await Deno.writeTextFile(join(path, "left"), "");
  assert.equal(
    await withTmpdir("/tmp", () => makeShortFolder(owner)),
    path,
  );
  await removeFolders(owner);
  assert.ok(!await isPrivateFolder(path));
});

Deno.test("removeFolders() does not remove the target of a changed link", async () => {
  await using test = await scene();
  const owner = await longFolder(test.root, 40);
  const precious = await longFolder(test.root, 30);
  const foreign = join(test.root, "browsergrid-0123456789ab");
  await Deno.mkdir(foreign);
  await Deno.chmod(foreign, 0o755);
  for (const target of [precious, foreign, test.root, "/"]) {
    await Deno.mkdir(owner, { recursive: true });
    await Deno.symlink(target, join(owner, "short"));
    await removeFolders(owner);
    assert.ok((await Deno.lstat(target)).isDirectory);
  }
});
