import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundle } from "../../.ci/bundle.ts";
import { inClosedNetwork } from "../support/closed_network.ts";
import { readEmbeddedFiles } from "../support/embedded_files.ts";
import { ownNetworkProblem } from "../support/own_network.ts";

/** Most that may be added to Deno's runtime. */
const MAX_BYTES = 8_000_000;

/** Folder of packages among the embedded files. */
const PACKAGES = ".deno_compile_node_modules/";

/** Reads all files below `folder` by their paths. */
async function readFolder(
  folder: string,
  prefix = "",
): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) {
      const others = await readFolder(path, `${prefix}${name}/`);
      for (const [each, bytes] of others) files.set(each, bytes);
    } else files.set(prefix + name, await Deno.readFile(path));
  }
  return files;
}

/** Compiles into `folder`. Returns the embedded files by their paths. */
async function compile(
  folder: string,
  ...args: readonly string[]
): Promise<ReadonlyMap<string, Uint8Array>> {
  const output = join(folder, "browsergrid");
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", ".ci/compile.ts", ...args, output],
    // The runtime of compiled files would have to be downloaded.
    env: { DENORT_BIN: Deno.execPath(), NO_COLOR: "1" },
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  const files = readEmbeddedFiles(await Deno.readFile(output));
  await Deno.remove(output);
  return files;
}

async function writeFiles(
  folder: string,
  files: Iterable<readonly [path: string, bytes: Uint8Array]>,
): Promise<void> {
  for (const [path, bytes] of files) {
    const file = join(folder, path);
    await Deno.mkdir(dirname(file), { recursive: true });
    await Deno.writeFile(file, bytes);
  }
}

async function createFolder() {
  const path = await Deno.makeTempDir({ prefix: "browsergrid-compile-" });
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

const USE = new URL("./embedded_program.ts", import.meta.url);
const closed = ownNetworkProblem === undefined
  ? {}
  : { name: `: ${ownNetworkProblem}`, ignore: true };

Deno.test("the compiled file contains the bundle and nothing else, which drives a browser without a cache, a network and the project", async (t) => {
  await using folder = await createFolder();
  const [embedded] = await Promise.all([
    compile(folder.path),
    bundle(join(folder.path, "bundle")),
  ]);
  const bundled = await readFolder(join(folder.path, "bundle"));
  assert.deepEqual([...embedded.keys()].sort(), [...bundled.keys()].sort());
  let bytes = 0;
  for (const [path, content] of embedded) {
    assert.ok(Buffer.from(bundled.get(path) ?? []).equals(content), path);
    bytes += content.length;
  }
  assert.ok(bytes < MAX_BYTES, `${bytes} bytes`);
  await t.step({
    name: `its use${closed.name ?? ""}`,
    ignore: closed.ignore ?? false,
    async fn() {
      await writeFiles(join(folder.path, "files"), embedded);
      const main = join(folder.path, "files/main.js");
      await inClosedNetwork(USE, [folder.path, "bundle", main]);
    },
  });
});

Deno.test("the source can be compiled instead, without packages of tests, and serves", async (t) => {
  await using folder = await createFolder();
  const embedded = await compile(folder.path, "--from-source");
  const paths = [...embedded.keys()];
  const has = (part: string) => paths.some((path) => path.includes(part));
  for (
    const part of [
      ...["src/server/grid.ts", "stream/thread/stream_worker.ts"],
      ...["migrations/0000_initial.sql", "/dockerode/", "/hono/"],
    ]
  ) assert.ok(has(part), part);
  for (const part of ["drizzle-kit", "puppeteer-core", "fast-check"]) {
    assert.ok(!has(part), part);
  }
  await t.step({
    name: `its use${closed.name ?? ""}`,
    ignore: closed.ignore ?? false,
    async fn() {
      const files = join(folder.path, "files");
      const [packages, modules] = [true, false].map((isPackage) =>
        [...embedded].filter(([path]) =>
          path.startsWith(PACKAGES) === isPackage
        )
      );
      await writeFiles(files, modules ?? []);
      // Deno looks for packages in its cache, and for their versions in a lock file, which is embedded as data.
      await writeFiles(
        join(folder.path, "cache/npm"),
        (packages ?? []).map(([path, bytes]) =>
          [path.slice(PACKAGES.length), bytes] as const
        ),
      );
      // Paths begin at the folder that the project and the cache share.
      const source = fileURLToPath(new URL("../../main.ts", import.meta.url));
      const main = join(
        files,
        paths.find((path) =>
          /(^|\/)main\.ts$/.test(path) && source.endsWith(path)
        ) ??
          assert.fail("main.ts is not embedded"),
      );
      await Deno.copyFile("deno.lock", join(dirname(main), "deno.lock"));
      await inClosedNetwork(USE, [folder.path, "source", main]);
    },
  });
});
