/**
 * Makes all files of a release in `dist/release`: `deno task release`, or with the folder as the argument.
 *
 * ```text
 * --draft          of any tree and version, with the notes of "Unreleased"; not to be published
 * --skip-missing   go on without executables and libraries that cannot be built on this machine
 * ```
 *
 * @module
 */
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import config from "../../deno.json" with { type: "json" };
import { buildRelease, listProblems, type Release } from "./build.ts";
import {
  listChanges,
  readDenoVersion,
  readNotes,
  readReleasesUrl,
  rejectUnfinished,
  ROOT,
} from "./project.ts";

const { values, positionals: [path] } = parseArgs({
  allowPositionals: true,
  options: {
    draft: { type: "boolean", default: false },
    "skip-missing": { type: "boolean", default: false },
  },
});

try {
  if (!values.draft) {
    rejectUnfinished({
      changes: await listChanges(),
      version: config.version,
      releases: await readReleasesUrl(),
      deno: await readDenoVersion(),
    });
  }
  const folder = resolve(path ?? join(ROOT, "dist/release"));
  const release = await buildRelease(folder, {
    notes: await readNotes(values.draft ? "Unreleased" : config.version),
    skipMissing: values["skip-missing"],
    skipWrong: values.draft,
  });
  print(`Browsergrid ${config.version} in ${folder}`);
  print(renderReport(release));
  for (const problem of listProblems(release.executables)) {
    print(`WRONG   ${problem}`);
  }
} catch (error) {
  // deno-lint-ignore no-console -- its output
  console.error(error instanceof Error ? error.message : error);
  Deno.exitCode = 1;
}

function renderReport(
  { sizes, executables, missing, bundleBytes }: Release,
): string {
  return [
    ...[...sizes].map(([name, bytes]) => `${renderSize(bytes)}  ${name}`),
    "Parts:",
    `${renderSize(bundleBytes)}  modules of the program`,
    ...executables.map(({ target, bytes, programBytes }) =>
      `${renderSize(bytes)}  ${target}: Deno ${
        renderSize(bytes - programBytes).trim()
      }, program ${renderSize(programBytes).trim()}`
    ),
    ...missing.map((text) => `MISSING ${text}`),
  ].join("\n");
}

function renderSize(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(2)} MB`.padStart(10);
}

function print(text: string): void {
  // deno-lint-ignore no-console -- its output
  console.log(text);
}
