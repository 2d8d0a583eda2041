/** Manifests of package managers, and the parts of a release that are made without building anything. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { parse } from "yaml";
import { unzipSync } from "fflate";
import { z } from "zod";
import { packTarGz, packZip } from "../../../.ci/release/archives.ts";
import { findTarget } from "../../../.ci/release/executable_header.ts";
import { explainFailure } from "../../../.ci/release/executables.ts";
import { renderFormula } from "../../../.ci/release/homebrew.ts";
import {
  findSection,
  rejectUnfinished,
  renderLinks,
} from "../../../.ci/release/project.ts";
import { TARGETS, toArchiveName } from "../../../.ci/release/targets.ts";
import { renderWingetManifests } from "../../../.ci/release/winget.ts";
import { testWith } from "../../support/test_with.ts";

const CHECKSUMS = new Map(
  TARGETS.map((target, index) => [
    toArchiveName(target),
    String(index).repeat(64),
  ]),
);

const PUBLISHED = {
  version: "1.2.3",
  homepage: "https://project.example",
  address: "https://project.example/releases/download/v1.2.3",
  checksums: CHECKSUMS,
};

/** Limits of the schema of winget's manifests, version 1.6.0. */
const common = {
  PackageIdentifier: z.string().max(128).regex(
    /^[^.\s\\/:*?"<>|]{1,32}(\.[^.\s\\/:*?"<>|]{1,32}){1,7}$/,
  ),
  PackageVersion: z.string().max(128).regex(/^[^\\/:*?"<>|\s]+$/),
  ManifestVersion: z.literal("1.6.0"),
};
const locale = z.string().regex(/^[a-z]{2}-[A-Z]{2}$/);
const SCHEMAS = {
  version: z.strictObject({
    ...common,
    ManifestType: z.literal("version"),
    DefaultLocale: locale,
  }),
  installer: z.strictObject({
    ...common,
    ManifestType: z.literal("installer"),
    InstallerType: z.literal("zip"),
    NestedInstallerType: z.literal("portable"),
    NestedInstallerFiles: z.array(z.strictObject({
      RelativeFilePath: z.string().endsWith(".exe").max(512),
      PortableCommandAlias: z.string().min(1).max(40),
    })).length(1),
    Installers: z.array(z.strictObject({
      Architecture: z.enum(["x64", "arm64"]),
      InstallerUrl: z.url({ protocol: /^https$/ }).max(2048),
      InstallerSha256: z.string().regex(/^[A-F0-9]{64}$/),
    })).min(1),
  }),
  defaultLocale: z.strictObject({
    ...common,
    ManifestType: z.literal("defaultLocale"),
    PackageLocale: locale,
    Publisher: z.string().min(2).max(256),
    PackageName: z.string().min(2).max(256),
    PackageUrl: z.url(),
    License: z.string().min(3).max(512),
    ShortDescription: z.string().min(3).max(256),
    Moniker: z.string().regex(/^\S{1,40}$/),
    Tags: z.array(z.string().min(1).max(40)).max(16),
  }),
};

await testWith(
  ["ruby"],
  "Homebrew's formula is valid Ruby, and has each archive for macOS and Linux",
  async () => {
    const formula = renderFormula(PUBLISHED) ?? "";
    const child = new Deno.Command("ruby", {
      // A warning is a fault, too.
      args: ["-wc"],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(formula));
    await writer.close();
    const { stdout, stderr } = await child.output();
    const decoder = new TextDecoder();
    assert.deepEqual(
      [decoder.decode(stdout), decoder.decode(stderr)],
      ["Syntax OK\n", ""],
    );
    const files = [
      ...formula.matchAll(/on_(arm|intel) do\s+url "(\S+)"\s+sha256 "(\w+)"/g),
    ].map(([, processor, url, checksum]) => [processor, url, checksum]);
    const { address } = PUBLISHED;
    assert.deepEqual(files, [
      ["intel", `${address}/browsergrid-macos-x64.tar.gz`, "2".repeat(64)],
      ["arm", `${address}/browsergrid-macos-arm64.tar.gz`, "3".repeat(64)],
      ["intel", `${address}/browsergrid-linux-x64.tar.gz`, "0".repeat(64)],
      ["arm", `${address}/browsergrid-linux-arm64.tar.gz`, "1".repeat(64)],
    ]);
    assert.match(formula, /version "1\.2\.3"/);
  },
);

Deno.test("winget's manifests have the fields of its schema, and the archive for Windows", () => {
  const manifests = renderWingetManifests(PUBLISHED);
  assert.deepEqual([...manifests.keys()], [
    "Browsergrid.Browsergrid.yaml",
    "Browsergrid.Browsergrid.installer.yaml",
    "Browsergrid.Browsergrid.locale.en-US.yaml",
  ]);
  const [version, installer, defaultLocale] = [...manifests.values()].map(
    (text) => parse(text),
  );
  assert.equal(SCHEMAS.version.parse(version).PackageVersion, "1.2.3");
  const [only, ...others] = SCHEMAS.installer.parse(installer).Installers;
  assert.deepEqual([only, others.length], [{
    Architecture: "x64",
    InstallerUrl: `${PUBLISHED.address}/browsergrid-windows-x64.zip`,
    InstallerSha256: "4".repeat(64),
  }, 0]);
  SCHEMAS.defaultLocale.parse(defaultLocale);
});

Deno.test("package managers get no manifest without an archive for them", () => {
  const published = { ...PUBLISHED, checksums: new Map() };
  assert.equal(renderFormula(published), undefined);
  assert.equal(renderWingetManifests(published).size, 0);
});

Deno.test("findTarget() reads system and processor of an executable", async () => {
  assert.equal(
    findTarget(await Deno.readFile("/bin/sh")),
    Deno.build.arch === "x86_64" ? "linux-x64" : "linux-arm64",
  );
  const elf = Buffer.from("7f454c46", "hex");
  const withMachine = Buffer.alloc(64);
  elf.copy(withMachine);
  withMachine.writeUInt16LE(0xb7, 18);
  assert.equal(findTarget(withMachine), "linux-arm64");
  withMachine.writeUInt16LE(0x28, 18);
  assert.equal(findTarget(withMachine), undefined);
  assert.equal(
    findTarget(Buffer.from("cffaedfe0c000001", "hex")),
    "macos-arm64",
  );
  const pe = Buffer.alloc(256);
  pe.write("MZ");
  pe.writeUInt32LE(128, 0x3c);
  pe.write("PE\0\0", 128);
  pe.writeUInt16LE(0x8664, 132);
  assert.equal(findTarget(pe), "windows-x64");
  assert.equal(findTarget(new TextEncoder().encode("#!/bin/sh")), undefined);
});

Deno.test("explainFailure() names the runtime that cannot be downloaded, or the cause", () => {
  assert.equal(
    explainFailure(`Compile main.js
error: Setting up base binary.
    1: error sending request for url (https://dl.example/denort.zip): client error
Stack backtrace:
   0: <unknown>`),
    "the base runtime https://dl.example/denort.zip cannot be downloaded",
  );
  assert.equal(
    explainFailure(`error: Writing

Caused by:
    0: Writing binary bytes
    1: Invalid object: Failed to parse PE

Stack backtrace:
   0: <unknown>`),
    "Writing binary bytes: Invalid object: Failed to parse PE",
  );
});

Deno.test("findSection() returns the changes of a version, and rejects one without", () => {
  const changelog =
    "# Changelog\n\n## Unreleased\n\n## 1.2.3 - 2026-01-01\n\n### Added\n\n- A\n\n## 1.2.2 - 2025-01-01\n\n- B\n";
  assert.equal(findSection(changelog, "1.2.3"), "### Added\n\n- A\n");
  assert.equal(findSection(changelog, "1.2.2"), "- B\n");
  assert.throws(
    () => findSection(changelog, "1.2"),
    /expected a section "## 1\.2 - DATE"/,
  );
});

Deno.test("renderLinks() completes the links of a page to the project's files", () => {
  assert.equal(
    renderLinks(
      "[A](docs/a.md#b) [B](https://b.example/)",
      "https://x.example/v1",
    ),
    "[A](https://x.example/v1/docs/a.md#b) [B](https://b.example/)",
  );
});

Deno.test("rejectUnfinished() rejects trees with changes, other versions than 1.2.3, a placeholder as the address, and another Deno than the tested one", () => {
  const finished = {
    changes: "",
    version: "1.2.3",
    releases: "https://host.test/project/releases",
    deno: Deno.version.deno,
  };
  rejectUnfinished(finished);
  for (
    const [change, expected] of [
      [{ changes: " M main.ts" }, /a tree with changes, .*\n M main\.ts/],
      [{ version: "1.2.3-dev" }, /version 1\.2\.3-dev, expected one such as/],
      [{ releases: "https://host.example/releases" }, /is a placeholder/],
      [{ deno: "2.0.0" }, /with Deno \S+, expected the tested version 2\.0\.0/],
    ] as const
  ) assert.throws(() => rejectUnfinished({ ...finished, ...change }), expected);
});

Deno.test("archives do not depend on the order or the time of their files", async () => {
  const folder = await Deno.makeTempDir({ prefix: "browsergrid-archives-" });
  try {
    const files = ["b", "a"].map((path) => ({
      path,
      content: new TextEncoder().encode(path),
      isExecutable: path === "a",
    }));
    const packed = await packTarGz(files);
    assert.deepEqual(packed, await packTarGz(files.toReversed()));
    assert.deepEqual(packZip(files), packZip(files.toReversed()));
    assert.deepEqual(unzipSync(packZip(files))["a"], files[1]?.content);
    const archive = join(folder, "archive.tar.gz");
    await Deno.writeFile(archive, packed);
    const { stdout } = await new Deno.Command("tar", {
      args: ["-tvzf", archive],
      env: { TZ: "UTC" },
    }).output();
    const lines = new TextDecoder().decode(stdout).trim().split("\n");
    assert.match(lines[0] ?? "", /^-rwxr-xr-x 0\/0 +1 1970-01-01 00:00 a$/);
    assert.match(lines[1] ?? "", /^-rw-r--r-- 0\/0 +1 1970-01-01 00:00 b$/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
