import { stringify } from "yaml";
import config from "../../deno.json" with { type: "json" };
import type { Published } from "./homebrew.ts";
import { TARGETS, toArchiveName, toExecutableName } from "./targets.ts";

const ID = "Browsergrid.Browsergrid";

/** Version of the schema of manifests. */
const SCHEMA = "1.6.0";

/** Returns the manifests for winget by file name; none if the release has no archive for Windows. */
export function renderWingetManifests(
  { version, homepage, address, checksums }: Published,
): ReadonlyMap<string, string> {
  const windows = TARGETS.filter(({ system }) => system === "windows");
  const installers = windows.flatMap((target) => {
    const name = toArchiveName(target);
    const checksum = checksums.get(name);
    return checksum === undefined ? [] : [{
      Architecture: target.processor === "aarch64" ? "arm64" : "x64",
      InstallerUrl: `${address}/${name}`,
      InstallerSha256: checksum.toUpperCase(),
    }];
  });
  if (installers.length === 0) return new Map();
  const common = { PackageIdentifier: ID, PackageVersion: version };
  return new Map([
    [
      `${ID}.yaml`,
      render("version", { ...common, DefaultLocale: "en-US" }),
    ],
    [
      `${ID}.installer.yaml`,
      render("installer", {
        ...common,
        InstallerType: "zip",
        NestedInstallerType: "portable",
        NestedInstallerFiles: [{
          RelativeFilePath: toExecutableName({ system: "windows" }),
          PortableCommandAlias: "browsergrid",
        }],
        Installers: installers,
      }),
    ],
    [
      `${ID}.locale.en-US.yaml`,
      render("defaultLocale", {
        ...common,
        PackageLocale: "en-US",
        Publisher: "The Browsergrid authors",
        PackageName: "Browsergrid",
        PackageUrl: homepage,
        License: config.license,
        ShortDescription: "A self-hosted grid for browser sessions",
        Moniker: "browsergrid",
        Tags: ["browser", "cdp", "playwright", "puppeteer"],
      }),
    ],
  ]);
}

function render(type: string, manifest: object): string {
  const schema = `https://aka.ms/winget-manifest.${type}.${SCHEMA}.schema.json`;
  const text = stringify({
    ...manifest,
    ManifestType: type,
    ManifestVersion: SCHEMA,
  });
  return `# yaml-language-server: $schema=${schema}\n${text}`;
}
