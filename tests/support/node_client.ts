import { fileURLToPath } from "node:url";

/** Folder of the Node programs and of the real clients that they use. */
const CLIENTS = fileURLToPath(new URL("../e2e/clients/", import.meta.url));

const README = new URL("../../README.md", import.meta.url);

/** What a program printed. */
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

/** The JavaScript program of the README that imports `client`, talking to `serverUrl` in place of the default address. */
export async function readmeProgram(
  client: string,
  serverUrl: string,
): Promise<string> {
  const readme = await Deno.readTextFile(README);
  const programs = [...readme.matchAll(/```js\n(.*?)```/gs)].map(([, text]) =>
    text ?? ""
  );
  const program = programs.find((text) => text.includes(`from "${client}"`));
  if (program === undefined) {
    throw new Error(`Cannot find a program that imports "${client}" in README`);
  }
  return program.replaceAll("127.0.0.1:8765", new URL(serverUrl).host);
}

async function install(): Promise<void> {
  try {
    await Deno.stat(`${CLIENTS}node_modules/puppeteer-core`);
    await Deno.stat(`${CLIENTS}node_modules/playwright-core`);
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
