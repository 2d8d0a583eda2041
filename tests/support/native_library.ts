import { join } from "node:path";
import { buildNative } from "../../.ci/native.ts";

let building: Promise<string | undefined> | undefined;

/** Returns the path of the native join, built for this machine. Without a compiler undefined, and tells why. */
export function builtLibrary(): Promise<string | undefined> {
  return building ??= build();
}

async function build(): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return undefined;
  const folder = await Deno.makeTempDir({ prefix: "browsergrid-native-" });
  addEventListener(
    "unload",
    () => Deno.removeSync(folder, { recursive: true }),
  );
  const path = join(folder, "join.so");
  const problem = await buildNative(Deno.build.arch, path);
  if (problem === undefined) return path;
  // deno-lint-ignore no-console -- the reason of skipped tests is their result
  console.log(`skipped: tests of the native join: ${problem}`);
  return undefined;
}
