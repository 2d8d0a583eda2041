/** A release as `deno task release` makes it, as far as this machine can. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { Ajv, type ValidateFunction } from "ajv";
import formats from "ajv-formats";
import { z } from "zod";
import config from "../../../deno.json" with { type: "json" };
import {
  createMachine,
  startReleaseServer,
} from "../../deploy/install_scene.ts";
import { readEmbeddedFiles } from "../../support/embedded_files.ts";

const decoder = new TextDecoder();

/** Runs the task. @param runtime Path of the runtime that compiled files contain. */
async function release(runtime: string, ...args: readonly string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", ".ci/release/main.ts", ...args],
    env: { DENORT_BIN: runtime, NO_COLOR: "1" },
  }).output();
  return { code, out: decoder.decode(stdout), error: decoder.decode(stderr) };
}

async function readChecksums(folder: string): Promise<Map<string, string>> {
  const text = await Deno.readTextFile(join(folder, "SHA256SUMS"));
  return new Map(
    text.trim().split("\n").map((line) => {
      const [hash = "", name = ""] = line.split("  ");
      return [name, hash];
    }),
  );
}

/** Lists the paths in an archive. */
async function listArchive(path: string): Promise<readonly string[]> {
  const { stdout } = await new Deno.Command("tar", { args: ["-tzf", path] })
    .output();
  return decoder.decode(stdout).trim().split("\n");
}

/** Returns the validator of the published schema of CycloneDX. */
async function compileSchema(): Promise<ValidateFunction> {
  const ajv = new Ajv({ strict: false });
  formats.default(ajv);
  for (const format of ["iri-reference", "idn-email"]) {
    ajv.addFormat(format, /./);
  }
  const folder = new URL(
    "res/schema/",
    import.meta.resolve("@cyclonedx/cyclonedx-library/package.json"),
  );
  const read = async (name: string) =>
    z.looseObject({}).parse(
      JSON.parse(await Deno.readTextFile(new URL(name, folder))),
    );
  for (const name of ["spdx", "jsf-0.82"]) {
    const file = `${name}.SNAPSHOT.schema.json`;
    ajv.addSchema(await read(file), `http://cyclonedx.org/schema/${file}`);
  }
  return ajv.compile(await read("bom-1.6.SNAPSHOT.schema.json"));
}

const sbomSchema = z.object({
  components: z.array(
    z.object({
      "bom-ref": z.string(),
      purl: z.string(),
      licenses: z.array(z.unknown()).optional(),
      hashes: z.array(z.object({ content: z.string() })).optional(),
    }),
  ),
});

Deno.test("a release has what each way to install it needs", async (t) => {
  const folder = await Deno.makeTempDir({ prefix: "browsergrid-release-" });
  const output = join(folder, "release");
  const other = join(folder, "other");
  const flags = ["--draft", "--skip-missing"];
  try {
    // Deno in place of the runtime of compiled files, which would have to be downloaded.
    const { code, out, error } = await release(
      Deno.execPath(),
      ...flags,
      output,
    );
    assert.equal(code, 0, error);
    const checksums = await readChecksums(output);

    await t.step("its report has sizes, and what is missing", () => {
      const size = String.raw`\d+\.\d\d MB`;
      for (
        const line of [
          `^ +${size}  browsergrid-bundle\\.tar\\.gz$`,
          `^ +${size}  modules of the program$`,
          `^ +${size}  linux-x64: Deno ${size}, program ${size}$`,
          "^MISSING linux-arm64: the base runtime is for linux-x64, expected one for linux-arm64",
          "^MISSING macos-x64: ",
          "^MISSING macos-arm64: ",
          "^MISSING windows-x64: ",
          '^WRONG +linux-x64: --version prints "deno ',
        ]
      ) assert.match(out, new RegExp(line, "m"));
    });

    await t.step("checksums of all files", async () => {
      const npm = `browsergrid-${config.version}.tgz`;
      assert.deepEqual([...checksums.keys()], [
        "THIRD-PARTY-LICENSES.txt",
        npm,
        "browsergrid-bundle.tar.gz",
        "browsergrid-chart.tgz",
        "browsergrid-linux-x64.tar.gz",
        "browsergrid-systemd.tar.gz",
        "browsergrid.cdx.json",
        "install.sh",
      ]);
      for (const [name, hash] of checksums) {
        const content = await Deno.readFile(join(output, name));
        const actual = createHash("sha256").update(content).digest("hex");
        assert.equal(actual, hash, name);
      }
      const formula = join(output, "homebrew/browsergrid.rb");
      assert.ok(
        (await Deno.readTextFile(formula)).includes(
          `sha256 "${checksums.get("browsergrid-linux-x64.tar.gz")}"`,
        ),
      );
      const packed = await listArchive(join(output, npm));
      for (const name of ["THIRD-PARTY-LICENSES.txt", "main.js"]) {
        assert.ok(packed.includes(`package/bundle/${name}`), name);
      }
    });

    await t.step("the sizes of the documentation", async () => {
      const page = await Deno.readTextFile("docs/install.md");
      const [, modules = ""] = /(\S+) MB {2}modules/.exec(out) ?? [];
      const readSize = async (path: string) => (await Deno.stat(path)).size;
      const sizes = {
        "modules of the program": Number(modules) * 1_000_000,
        "browsergrid-bundle.tar.gz": await readSize(
          join(output, "browsergrid-bundle.tar.gz"),
        ),
        "npm package": await readSize(
          join(output, `browsergrid-${config.version}.tgz`),
        ),
        "Deno, which npm installs": await readSize(Deno.execPath()),
      };
      for (const [name, bytes] of Object.entries(sizes)) {
        const row = new RegExp(`^\\| ${name} +\\| +(\\S+) MB +\\|$`, "m");
        const [, stated = ""] = row.exec(page) ?? [];
        const ratio = Number(stated) * 1_000_000 / bytes;
        assert.ok(ratio > 0.9 && ratio < 1.1, `${name}: ${bytes}, ${stated}`);
      }
    });

    await t.step("a list of its software that follows the schema", async () => {
      const validate = await compileSchema();
      const sbom: unknown = JSON.parse(
        await Deno.readTextFile(join(output, "browsergrid.cdx.json")),
      );
      assert.ok(validate(sbom), JSON.stringify(validate.errors));
      assert.ok(
        !validate({ bomFormat: "CycloneDX", specVersion: "1.6", x: 1 }),
      );
      const { components } = sbomSchema.parse(sbom);
      const names = components.map((each) =>
        each["bom-ref"].replace(/(.)@.*$/, "$1")
      );
      for (
        const name of [
          ...["hono", "zod", "swagger-ui-dist", "dockerode"],
          ...["preact", "@preact/signals", "uplot"],
        ]
      ) {
        assert.ok(names.includes(name), name);
      }
      for (const name of ["drizzle-kit", "puppeteer-core", "fast-check"]) {
        assert.ok(!names.includes(name), name);
      }
      const texts = await Deno.readTextFile(
        join(output, "THIRD-PARTY-LICENSES.txt"),
      );
      for (const { licenses, hashes, ...each } of components) {
        const name = each["bom-ref"];
        assert.equal(licenses?.length, 1, name);
        assert.ok(texts.includes(`\n${name} (`), name);
        if (name.startsWith("deno@")) continue;
        assert.match(hashes?.[0]?.content ?? "", /^[0-9a-f]{128}$/, name);
      }
    });

    await t.step("an archive that install.sh installs", async () => {
      await using server = startReleaseServer();
      for (const name of [...checksums.keys(), "SHA256SUMS"]) {
        const content = await Deno.readFile(join(output, name));
        server.files.set(
          `latest/download/${name}`,
          () => new Response(content),
        );
      }
      await using machine = await createMachine(server, "curl");
      const installed = await machine.install();
      assert.equal(installed.code, 0, installed.error);
      const [path = "", ...others] = await machine.list();
      assert.deepEqual(others, []);
      const embedded = readEmbeddedFiles(await Deno.readFile(path));
      const bundled = await listArchive(
        join(output, "browsergrid-bundle.tar.gz"),
      );
      const modules = (paths: Iterable<string>) =>
        [...paths].filter((each) => each.endsWith(".js")).sort();
      assert.deepEqual(
        modules(embedded.keys()),
        modules(bundled.map((each) => each.replace("browsergrid-bundle/", ""))),
      );
      // Each machine needs its own native join, and the bundle all.
      const libraries = (paths: Iterable<string>) =>
        [...paths].filter((each) => each.endsWith(".so")).map((each) =>
          basename(each)
        ).sort();
      if (out.includes("MISSING native join")) return;
      assert.deepEqual(libraries(embedded.keys()), ["join_x86_64.so"]);
      assert.deepEqual(libraries(bundled), [
        "join_aarch64.so",
        "join_x86_64.so",
      ]);
    });

    await t.step("the same files when it is made again", async () => {
      const again = await release(Deno.execPath(), ...flags, other);
      assert.equal(again.code, 0, again.error);
      assert.deepEqual(await readChecksums(other), checksums);
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a release does not replace a folder with other files", async () => {
  const folder = await Deno.makeTempDir({ prefix: "browsergrid-release-" });
  try {
    await Deno.writeTextFile(join(folder, "other"), "");
    const rejected = await release(Deno.execPath(), "--draft", folder);
    assert.equal(rejected.code, 1);
    assert.match(
      rejected.error,
      /Cannot replace the folder \S+ it has other files, expected .* with browsergrid\.cdx\.json/,
    );
    const left = await Array.fromAsync(Deno.readDir(folder));
    assert.deepEqual(left.map(({ name }) => name), ["other"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a release that lacks a part is rejected", async () => {
  const folder = await Deno.makeTempDir({ prefix: "browsergrid-release-" });
  const output = join(folder, "release");
  try {
    await Deno.writeTextFile(join(folder, "denort"), "");
    const incomplete = await release(
      join(folder, "denort"),
      "--draft",
      output,
    );
    assert.equal(incomplete.code, 1);
    assert.match(
      incomplete.error,
      /expected every part, or --skip-missing.*\n(.*\n)*macos-arm64: /,
    );
    const left = await Array.fromAsync(Deno.readDir(folder));
    assert.deepEqual(left.map(({ name }) => name), ["denort"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
