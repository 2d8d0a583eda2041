/**
 * Podman beside the Docker engine, with storage, networks and limits of its own, and the project's image.
 *
 * @module
 */
import Docker from "dockerode";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { docker, dockerMissing, TEST_IMAGE } from "./docker.ts";
import { eventually } from "./eventually.ts";

/** Folder of its images, which survives the tests: copying the image takes as long as all of them. */
const STORE = join(import.meta.dirname ?? "", "../../.cache/podman");

/** Folder of its state, which a restart of the machine must empty. Another clone has another one. */
const STATE = `/run/browsergrid-podman-${
  createHash("sha256").update(STORE).digest("hex").slice(0, 8)
}`;

const VARIABLES = {
  CONTAINERS_STORAGE_CONF: join(STORE, "storage.conf"),
  CONTAINERS_CONF: join(STORE, "containers.conf"),
};

/** More than this machine may allow is an error for Podman, and a reserve for Docker. */
const ULIMITS = ["nofile=4096:4096", "nproc=32768:32768"];

/** Why Podman cannot be tested here; undefined if it can. */
export const podmanMissing: string | undefined = dockerMissing ??
  await reason();

async function reason(): Promise<string | undefined> {
  if (Deno.uid() !== 0) return "Podman is tested as root";
  try {
    await new Deno.Command("podman", { args: ["--version"] }).output();
  } catch {
    return "podman is not installed";
  }
  try {
    await configure();
    await copyImage();
    await podman("run", "--rm", "--memory=64m", TEST_IMAGE, "probe-sandbox");
  } catch (error) {
    return `Podman runs no container: ${String(error).slice(0, 1_000)}`;
  }
}

async function configure(): Promise<void> {
  await Deno.mkdir(STORE, { recursive: true });
  const storage = [
    "[storage]",
    'driver = "overlay"',
    `graphroot = "${STORE}/storage"`,
    `runroot = "${STATE}/storage"`,
  ];
  const containers = [
    "[containers]",
    `default_ulimits = ${JSON.stringify(ULIMITS)}`,
    "[engine]",
    // No systemd runs here.
    'cgroup_manager = "cgroupfs"',
    'events_logger = "file"',
    'lock_type = "file"',
    `tmp_dir = "${STATE}/engine"`,
    "[network]",
    `network_config_dir = "${STATE}/networks"`,
  ];
  await Deno.writeTextFile(
    VARIABLES.CONTAINERS_STORAGE_CONF,
    storage.join("\n"),
  );
  await Deno.writeTextFile(VARIABLES.CONTAINERS_CONF, containers.join("\n"));
}

/** Copies the project's image from the Docker engine, unless Podman has it already. */
async function copyImage(): Promise<void> {
  const { Id } = await docker.getImage(TEST_IMAGE).inspect();
  const has = await podman("images", "--no-trunc", "--quiet");
  if (has.includes(Id)) return;
  await podman("rmi", "--all", "--force");
  const archive = join(STORE, "image.tar");
  try {
    await run("docker", "save", "--output", archive, TEST_IMAGE);
    await podman("load", "--quiet", "--input", archive);
  } finally {
    await Deno.remove(archive).catch(() => {});
  }
}

/** Runs a command of Podman and returns its output. @throws {Error} With its message. */
export function podman(...args: readonly string[]): Promise<string> {
  return run("podman", ...args);
}

async function run(
  program: string,
  ...args: readonly string[]
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    env: VARIABLES,
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  if (success) return decoder.decode(stdout);
  throw new Error(`${program} ${args[0]}: ${decoder.decode(stderr)}`);
}

/** A service of Podman that speaks the Docker API. Disposal ends it; containers continue. */
export interface PodmanService extends AsyncDisposable {
  readonly docker: Docker;
  /** Path of its socket. */
  readonly socket: string;
  /** Lists the containers of a grid, in any state. */
  listContainers(gridId: string): Promise<string[]>;
}

/** Options of {@linkcode startPodman}. */
export interface PodmanOptions {
  /** Registry on loopback from which it pulls without TLS, `127.0.0.1:PORT`. */
  readonly registry?: string;
}

/** Starts `podman system service` at a socket of its own. */
export async function startPodman(
  { registry }: PodmanOptions = {},
): Promise<PodmanService> {
  const folder = await Deno.makeTempDir({ prefix: "podman-" });
  const socket = join(folder, "podman.sock");
  const registries = join(folder, "registries.conf");
  await Deno.writeTextFile(
    registries,
    registry === undefined
      ? ""
      : `[[registry]]\nlocation = "${registry}"\ninsecure = true\n`,
  );
  const child = new Deno.Command("podman", {
    args: ["system", "service", "--time=60", `unix://${socket}`],
    env: { ...VARIABLES, CONTAINERS_REGISTRIES_CONF: registries },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const client = new Docker({ socketPath: socket });
  await eventually("Podman responds", () => client.ping(), {
    withinMs: 20_000,
  });
  return {
    docker: client,
    socket,
    async listContainers(gridId) {
      const found = await client.listContainers({
        all: true,
        filters: { label: [`browsergrid.grid_id=${gridId}`] },
      });
      return found.map(({ Id }) => Id);
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
      await Deno.remove(folder, { recursive: true });
    },
  };
}
