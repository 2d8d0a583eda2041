/**
 * Builds the container image `browsergrid` with the Docker engine: `deno task image`, or with `--tag NAME`, and with
 * `--network host` if containers have no internet access. The image contains the Deno that runs this. With `--worker` it
 * also builds `browsergrid/worker`, which has a browser.
 *
 * @module
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { bundle } from "../bundle.ts";
import { RUN_FLAGS } from "../run_flags.ts";
import { runDockerBuild } from "./docker_build.ts";
import { buildWorkerImage } from "./worker.ts";

/** Files of this folder that are in the build context. */
const FILES = ["Dockerfile", "browsergrid.sh", "health.sh", "fill_cache.ts"];

const DEFAULT_TAG = "browsergrid:latest";

/** Time of all files, so that the same files make the same layers. */
const EPOCH = new Date(0);

/** Options of {@linkcode buildImage}. */
export interface ImageOptions {
  /** Name of the image. @default {"browsergrid:latest"} */
  readonly tag?: string | undefined;
  /** Network of the build's steps, such as `host` if the engine's bridge has no internet access. */
  readonly network?: string | undefined;
}

/** Builds the image, and returns its name. @throws {Error} With the last output of `docker build`. */
export async function buildImage(
  { tag = DEFAULT_TAG, network }: ImageOptions = {},
): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "browsergrid-image-" });
  try {
    await makeContext(folder);
    await runDockerBuild(folder, {
      tag,
      network,
      annotations: {
        description:
          "A self-hosted grid for browser sessions, without a browser",
        "base.name": "docker.io/library/debian:bookworm-slim",
      },
    });
    return tag;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Makes the build context: the files of the image, and nothing else. */
async function makeContext(folder: string): Promise<void> {
  await bundle(join(folder, "bundle"));
  for (const name of FILES) {
    await Deno.copyFile(new URL(name, import.meta.url), join(folder, name));
  }
  const program = join(folder, "browsergrid.sh");
  const text = await Deno.readTextFile(program);
  await Deno.writeTextFile(
    program,
    text.replace("RUN_FLAGS", RUN_FLAGS.join(" ")),
  );
  await Deno.copyFile(Deno.execPath(), join(folder, "deno"));
  await normalize(folder);
}

/** Sets the rights and the times of all files in a folder, which depend on the machine otherwise. */
async function normalize(folder: string): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) await normalize(path);
    const isProgram = isDirectory || name === "deno" || name.endsWith(".sh");
    await Deno.chmod(path, isProgram ? 0o755 : 0o644);
    await Deno.utime(path, EPOCH, EPOCH);
  }
}

if (import.meta.main) {
  const { values: { worker, ...options } } = parseArgs({
    options: {
      tag: { type: "string" },
      network: { type: "string" },
      worker: { type: "boolean" },
    },
  });
  const program = await buildImage(options);
  const tags = [program];
  if (worker) {
    const { network } = options;
    tags.push(await buildWorkerImage({ program, network }));
  }
  // deno-lint-ignore no-console -- its output
  console.log(tags.join("\n"));
}
