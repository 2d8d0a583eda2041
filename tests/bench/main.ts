/**
 * Runs the benchmarks that are named, or all: `deno task bench gateway`. Ends with code 1 if one of them misses a target.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { print } from "./times.ts";

const PROGRAMS = [
  "cold_start",
  "idle_server",
  "api_load",
  "gateway",
  "visits",
  "warm_connect",
  "sandbox",
];

const unknown = Deno.args.filter((name) => !PROGRAMS.includes(name));
if (unknown.length > 0) {
  print(`Unknown: ${unknown.join(", ")}; expected ${PROGRAMS.join(", ")}`);
  Deno.exit(2);
}
let isOk = true;
for (const name of Deno.args.length > 0 ? Deno.args : PROGRAMS) {
  print(`\n${name}`);
  const file = fileURLToPath(new URL(`${name}.ts`, import.meta.url));
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "-A", file],
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  isOk &&= success;
}
Deno.exit(isOk ? 0 : 1);
