import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Runs a program in a network of its own, which has only loopback. */
const CLOSED = `ip link set lo up && exec "$@"`;

/** Hides the project from a program, which Deno runs. Deno may be in the project's cache. */
const HIDDEN = `set -e
[ -x "$1/deno" ] || cp "$3" "$1/deno"
mount -t tmpfs none "$2"
cd "$1"; folder=$1; shift 3
exec "$folder/deno" "$@"`;

/** Runs a program of the tests in a network with nothing but loopback. @throws {Error} With its output if it fails. */
export async function inClosedNetwork(
  program: URL,
  args: readonly string[],
): Promise<void> {
  const deno = [Deno.execPath(), "run", "--quiet", "--no-check", "-A"];
  const { success, stdout, stderr } = await new Deno.Command("unshare", {
    args: [
      ...["--net", "sh", "-c", CLOSED, "sh", ...deno, "--cached-only"],
      ...[fileURLToPath(program), ...args],
    ],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  if (success) return;
  const decoder = new TextDecoder();
  throw new Error(decoder.decode(stdout) + decoder.decode(stderr));
}

/** Returns the prefix of a command of Deno that hides the project from it, and sets its working directory. */
export function hideProject(folder: string): readonly string[] {
  return ["unshare", "--mount", "sh", "-c", HIDDEN, "sh", folder, ROOT];
}
