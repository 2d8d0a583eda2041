import config from "../../deno.json" with { type: "json" };
import { TARGETS, toArchiveName } from "./targets.ts";

/** The facts of a release that manifests of package managers contain. */
export interface Published {
  readonly version: string;
  /** Address of the project. */
  readonly homepage: string;
  /** Address of the release's files. */
  readonly address: string;
  /** SHA-256 of each file of the release, in hex, by its name. */
  readonly checksums: ReadonlyMap<string, string>;
}

/** Blocks of a formula for systems and processors. */
const SYSTEMS = { macos: "on_macos", linux: "on_linux" } as const;
const PROCESSORS = { aarch64: "on_arm", x86_64: "on_intel" } as const;

/** Returns the formula for Homebrew, of the archives that there are; undefined if there is none for it. */
export function renderFormula(published: Published): string | undefined {
  const blocks = (["macos", "linux"] as const).map((system) =>
    renderSystem(system, published)
  ).filter((block) => block !== "");
  if (blocks.length === 0) return undefined;
  return `class Browsergrid < Formula
  desc "Self-hosted grid for browser sessions"
  homepage "${published.homepage}"
  version "${published.version}"
  license "${config.license}"

${blocks.join("\n")}
  def install
    bin.install "browsergrid"
    generate_completions_from_executable(bin/"browsergrid", "completions")
  end

  service do
    run [opt_bin/"browsergrid", "serve", "--with-worker"]
    keep_alive crashed: true
    log_path var/"log/browsergrid.log"
    error_log_path var/"log/browsergrid.log"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/browsergrid --version")
  end
end
`;
}

function renderSystem(
  system: keyof typeof SYSTEMS,
  { address, checksums }: Published,
): string {
  const blocks = TARGETS.flatMap((target) => {
    const name = toArchiveName(target);
    const checksum = checksums.get(name);
    if (target.system !== system || checksum === undefined) return [];
    return [`    ${PROCESSORS[target.processor]} do
      url "${address}/${name}"
      sha256 "${checksum}"
    end
`];
  });
  return blocks.length === 0
    ? ""
    : `  ${SYSTEMS[system]} do\n${blocks.join("\n")}  end\n`;
}
