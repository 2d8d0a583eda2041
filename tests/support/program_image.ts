import assert from "node:assert/strict";
import { buildImage } from "../../.ci/image/main.ts";
import { eventually } from "./eventually.ts";
import { runToEnd } from "./run_to_end.ts";

/** Result of a command. */
export interface CommandResult {
  readonly code: number;
  /** Output without white space at its end. */
  readonly out: string;
  readonly err: string;
}

/** Runs a program to its end. */
export async function runCommand(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CommandResult> {
  const { code, out, error } = await runToEnd(command, args, {
    env: { ...env },
  });
  return { code, out: out.trim(), err: error.trim() };
}

/** Runs `docker`, and returns its output. @throws {AssertionError} If it fails. */
export async function callDocker(...args: readonly string[]): Promise<string> {
  const { code, out, err } = await runCommand("docker", args);
  assert.equal(code, 0, `docker ${args.join(" ")}: ${err}\n${out}`);
  return out;
}

/** The image `browsergrid` of this source. Disposal removes it, with its containers and volumes. */
export interface ProgramImage extends AsyncDisposable {
  readonly tag: string;
  /** Label of its containers. */
  readonly label: string;
  /** Runs a command of the program in a container, to its end. @param options Options of `docker run`. */
  run(
    options: readonly string[],
    ...command: readonly string[]
  ): Promise<CommandResult>;
  /** Starts a container, and returns its id. @param options Options of `docker run`. */
  start(
    options: readonly string[],
    ...command: readonly string[]
  ): Promise<string>;
  /** Creates a volume, and returns its name. */
  volume(): Promise<string>;
}

/** Builds the image `browsergrid` under a name of its own. Its layers come from the engine's cache if nothing changed. */
export async function openProgramImage(): Promise<ProgramImage> {
  const id = crypto.randomUUID().slice(0, 8);
  const tag = `browsergrid:test-${id}`;
  const label = `browsergrid.test=${id}`;
  const volumes: string[] = [];
  await buildImage({ tag }).catch(() => buildImage({ tag, network: "host" }));
  return {
    tag,
    label,
    run: (options, ...command) =>
      runCommand("docker", ["run", "--rm", ...options, tag, ...command]),
    start: (options, ...command) =>
      callDocker(
        ...["run", "--detach", "--label", label, ...options, tag, ...command],
      ),
    async volume() {
      const name = `browsergrid-test-${id}-${volumes.length}`;
      volumes.push(name);
      return await callDocker("volume", "create", name);
    },
    async [Symbol.asyncDispose]() {
      const list = ["ps", "--all", "--quiet", "--filter", `label=${label}`];
      const containers = (await callDocker(...list)).split("\n");
      for (const container of containers.filter(Boolean)) {
        await callDocker("rm", "--force", "--volumes", container);
      }
      for (const name of volumes) await callDocker("volume", "rm", name);
      await callDocker("rmi", tag);
    },
  };
}

/** Returns a value of a container, by a template of `docker inspect`. */
export function inspectContainer(id: string, value: string): Promise<string> {
  return callDocker("inspect", "--format", `{{${value}}}`, id);
}

/** Waits until the health check of a container succeeds. @throws {Error} With its log if it ends before. */
export async function untilHealthy(id: string): Promise<void> {
  await eventually(`container ${id} is healthy`, async () => {
    const status = await inspectContainer(id, ".State.Health.Status");
    return status === "healthy";
  }, { withinMs: 60_000 }).catch(async (cause) => {
    const { out, err } = await runCommand("docker", ["logs", id]);
    throw new Error(out + err, { cause });
  });
}
