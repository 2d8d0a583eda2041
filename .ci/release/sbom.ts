import { Buffer } from "node:buffer";
import {
  Enums,
  Models,
  Serialize,
  SPDX,
  Spec,
} from "@cyclonedx/cyclonedx-library";
import { PackageURL } from "packageurl-js";
import config from "../../deno.json" with { type: "json" };
import { type NpmPackage, toKey } from "./packages.ts";

/** Returns the list of the software in a release, in JSON of CycloneDX 1.6. @param at Moment of the commit. */
export function renderSbom(packages: readonly NpmPackage[], at: Date): string {
  const program = new Models.Component(
    Enums.ComponentType.Application,
    config.name,
    {
      version: config.version,
      bomRef: `${config.name}@${config.version}`,
      purl: toPurl(config),
      licenses: toLicenses(config.license),
    },
  );
  const bom = new Models.Bom({
    metadata: new Models.Metadata({ timestamp: at, component: program }),
  });
  const runtime = new Models.Component(Enums.ComponentType.Platform, "deno", {
    version: Deno.version.deno,
    bomRef: `deno@${Deno.version.deno}`,
    purl: `pkg:github/denoland/deno@v${Deno.version.deno}`,
    licenses: toLicenses("MIT"),
    description: "Runs the program; part of the executables only",
  });
  bom.components.add(runtime);
  program.dependencies.add(runtime.bomRef);
  const components = new Map(
    packages.map((each) => [toKey(each), toComponent(each)]),
  );
  const needed = new Set(packages.flatMap(({ dependencies }) => dependencies));
  for (const each of packages) {
    const component = components.get(toKey(each));
    if (component === undefined) continue;
    bom.components.add(component);
    if (!needed.has(toKey(each)) || isImported(each.name)) {
      program.dependencies.add(component.bomRef);
    }
    for (const name of each.dependencies) {
      const dependency = components.get(name);
      if (dependency) component.dependencies.add(dependency.bomRef);
    }
  }
  const format = new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6);
  return new Serialize.JsonSerializer(format).serialize(bom, {
    sortLists: true,
    space: 2,
  }) + "\n";
}

function isImported(name: string): boolean {
  return name in config.imports;
}

function toComponent(
  { name, version, license, integrity }: NpmPackage,
): Models.Component {
  const [scope, rest] = name.startsWith("@") ? name.split("/") : [];
  const [, base64 = ""] = /^sha512-(.*)$/.exec(integrity) ?? [];
  const hash = Buffer.from(base64, "base64").toString("hex");
  return new Models.Component(Enums.ComponentType.Library, rest ?? name, {
    ...(scope === undefined ? {} : { group: scope }),
    version,
    bomRef: toKey({ name, version }),
    purl: toPurl({ name, version }),
    licenses: toLicenses(license),
    hashes: new Models.HashDictionary(
      hash === "" ? [] : [[Enums.HashAlgorithm["SHA-512"], hash]],
    ),
  });
}

function toPurl(
  { name, version }: Pick<NpmPackage, "name" | "version">,
): string {
  const [scope, rest] = name.startsWith("@") ? name.split("/") : [];
  return new PackageURL("npm", scope, rest ?? name, version, null, null)
    .toString();
}

function toLicenses(license: string): Models.LicenseRepository {
  if (license === "") return new Models.LicenseRepository();
  const id = SPDX.fixupSpdxId(license);
  if (id !== undefined) {
    return new Models.LicenseRepository([new Models.SpdxLicense(id)]);
  }
  return new Models.LicenseRepository([
    / (AND|OR|WITH) /.test(license)
      ? new Models.LicenseExpression(license)
      : new Models.NamedLicense(license),
  ]);
}
