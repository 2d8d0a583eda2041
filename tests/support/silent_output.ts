import type { Output } from "../../src/cli/output.ts";

/** Prints nothing. */
export const silent: Output = {
  print: () => {},
  json: () => {},
  table: () => {},
  progress: () => {},
  error: () => {},
  bytes: () => {},
  isTerminal: false,
};
