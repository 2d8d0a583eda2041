/** Machines that a release has an executable for. @module */

/** A system and its processor. */
export interface Target {
  /** Name in the files of a release. */
  readonly name: string;
  /** Name for `deno compile`. */
  readonly triple: string;
  readonly system: "linux" | "macos" | "windows";
  readonly processor: typeof Deno.build.arch;
}

/** All targets. */
export const TARGETS: readonly Target[] = [
  {
    name: "linux-x64",
    triple: "x86_64-unknown-linux-gnu",
    system: "linux",
    processor: "x86_64",
  },
  {
    name: "linux-arm64",
    triple: "aarch64-unknown-linux-gnu",
    system: "linux",
    processor: "aarch64",
  },
  {
    name: "macos-x64",
    triple: "x86_64-apple-darwin",
    system: "macos",
    processor: "x86_64",
  },
  {
    name: "macos-arm64",
    triple: "aarch64-apple-darwin",
    system: "macos",
    processor: "aarch64",
  },
  {
    name: "windows-x64",
    triple: "x86_64-pc-windows-msvc",
    system: "windows",
    processor: "x86_64",
  },
];

/** Returns the file name of a target's archive. */
export function toArchiveName({ name, system }: Target): string {
  return `browsergrid-${name}.${system === "windows" ? "zip" : "tar.gz"}`;
}

/** Returns the file name of a target's executable. */
export function toExecutableName({ system }: Pick<Target, "system">): string {
  return system === "windows" ? "browsergrid.exe" : "browsergrid";
}
