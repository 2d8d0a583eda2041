/**
 * Options of Deno for every start. The space of new objects is 4 MB from the start on instead of 1 MB: loading the
 * program would otherwise stop for seven collections that find little garbage.
 */
export const START_FLAGS: readonly string[] = [
  "--v8-flags=--min-semi-space-size=4",
];

/** Options of Deno for a bundle, whether it is run or compiled. */
export const BUNDLE_FLAGS: readonly string[] = [
  ...START_FLAGS,
  ...["--no-config", "--no-lock"],
  // Otherwise every command would load the modules of all.
  "--unstable-lazy-dynamic-imports",
];

/** Arguments of Deno that run a bundle, before the path of its first module. */
export const RUN_FLAGS: readonly string[] = ["run", "-A", ...BUNDLE_FLAGS];
