import { fileURLToPath } from "node:url";

/** Folder of the Node programs and of the real clients that they use. */
const CLIENTS = fileURLToPath(new URL("../e2e/clients/", import.meta.url));

/** Output of a program. */
export interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

let installed: Promise<void> | undefined;

/** Installs the clients from the registry, once; a later run finds them. */
export function installClients(): Promise<void> {
  installed ??= install();
  return installed;
}

/** Runs a Node program beside the installed clients. It is ended when `signal` is aborted. */
export async function runNode(
  source: string,
  args: readonly string[] = [],
  signal?: AbortSignal,
): Promise<Output> {
  await installClients();
  const file = await Deno.makeTempFile({ dir: CLIENTS, suffix: ".mjs" });
  try {
    await Deno.writeTextFile(file, source);
    return await run("node", [file, ...args], signal);
  } finally {
    await Deno.remove(file);
  }
}

/** Source of a program that stands in the folder of clients. */
export function clientProgram(name: string): Promise<string> {
  return Deno.readTextFile(new URL(`../e2e/clients/${name}`, import.meta.url));
}

async function install(): Promise<void> {
  try {
    const text = await Deno.readTextFile(`${CLIENTS}package.json`);
    for (const name of Object.keys(JSON.parse(text).dependencies)) {
      await Deno.stat(`${CLIENTS}node_modules/${name}`);
    }
  } catch {
    const npm = await run("npm", [
      "install",
      "--no-package-lock",
      "--no-audit",
      "--no-fund",
      "--prefix",
      CLIENTS,
    ]);
    if (npm.code !== 0) throw new Error(`npm install failed:\n${npm.stderr}`);
  }
}

async function run(
  command: string,
  args: readonly string[],
  signal?: AbortSignal,
): Promise<Output> {
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    cwd: CLIENTS,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    ...(signal ? { signal } : {}),
  }).output();
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}
