import { join } from "node:path";
import { DEFAULT_IMAGE } from "../../src/providers/docker/config.ts";
import { runDockerBuild } from "./docker_build.ts";

const DEFAULT_TAG = "browsergrid/worker:latest";

const FILE = "worker.Dockerfile";

/** Options of {@linkcode buildWorkerImage}. */
export interface WorkerImageOptions {
  /** Image of the program. */
  readonly program: string;
  /** Image of the browser. @default {"browsergrid/chromium:latest"} */
  readonly browser?: string | undefined;
  /** Name of the new image. @default {"browsergrid/worker:latest"} */
  readonly tag?: string | undefined;
  /** Network of the build's steps. */
  readonly network?: string | undefined;
}

/** Builds the image of workers with a browser over the images of both. Returns its name. */
export async function buildWorkerImage(
  { program, browser = DEFAULT_IMAGE, tag = DEFAULT_TAG, network }:
    WorkerImageOptions,
): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "browsergrid-image-" });
  try {
    await Deno.copyFile(new URL(FILE, import.meta.url), join(folder, FILE));
    await runDockerBuild(folder, {
      tag,
      network,
      file: FILE,
      args: { PROGRAM: program, BROWSER: browser },
      annotations: {
        description: "A worker of Browsergrid with Chromium",
        "base.name": browser,
      },
    });
    return tag;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
