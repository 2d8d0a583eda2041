import { join } from "node:path";
import texts from "spdx-license-list/full.js";
import { type NpmPackage, toKey } from "./packages.ts";

/** Files in the folder of a package that its licence demands to be passed on. */
const LICENSE_FILE = /^(licen[cs]e|copying|notice)|\.licen[cs]e(\.txt)?$/i;

const LINE = "=".repeat(80);

/** Returns the licences of everything in a release that other people wrote. */
export async function renderLicenses(
  packages: readonly NpmPackage[],
): Promise<string> {
  const version = Deno.version.deno;
  const parts = [
    renderPart(
      `deno@${version} (MIT), in the executables only. It contains other libraries:\nhttps://github.com/denoland/deno/blob/v${version}/Cargo.lock`,
      renderStandardText("MIT", "2018-2026 the Deno authors"),
    ),
  ];
  for (const each of packages) {
    const files = await readLicenseFiles(each.folder);
    const text = files.length > 0 ? files.join("\n\n") : renderStandardText(
      each.license,
      each.author || `the authors of ${each.name}`,
    );
    parts.push(renderPart(`${toKey(each)} (${each.license})`, text));
  }
  return `Browsergrid contains the following software.\n\n${parts.join("\n")}`;
}

function renderPart(title: string, text: string): string {
  return `${LINE}\n${title}\n${LINE}\n\n${text.trim()}\n`;
}

/** Returns the text of a licence, for packages that do not contain it. @throws {Error} If the licence is unknown. */
function renderStandardText(license: string, holders: string): string {
  const [id = ""] = license.split(/ (?:AND|OR|WITH) /);
  const text = texts[id]?.licenseText;
  if (text === undefined) {
    throw new Error(
      `Cannot find the text of the licence "${license}", expected an SPDX identifier`,
    );
  }
  // The texts have the holders of an example, in one or several lines.
  const [first, ...others] = text.split(/^Copyright .*\n/m);
  return others.length === 0
    ? text
    : `${first}Copyright (c) ${holders}\n${others.join("")}`;
}

async function readLicenseFiles(folder: string): Promise<readonly string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  const names = entries.filter(({ name, isFile }) =>
    isFile && LICENSE_FILE.test(name) && !/\.(c?js|map|json)$/.test(name)
  ).map(({ name }) => name).sort();
  const contents = await Promise.all(
    names.map((name) => Deno.readTextFile(join(folder, name))),
  );
  return contents.map((text) => text.replaceAll("\r\n", "\n").trim());
}
