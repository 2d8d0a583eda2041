import { terminal } from "./src/cli/output.ts";
import { VERSION } from "./src/cli/version.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));

/** Runs a command line. The version alone needs none of the program. */
async function main(args: readonly string[]): Promise<number> {
  const [first] = args;
  if (first === "--version" || first === "-V") {
    terminal.print(VERSION);
    return 0;
  }
  const { run } = await import("./src/cli/program.ts");
  return await run(args);
}
