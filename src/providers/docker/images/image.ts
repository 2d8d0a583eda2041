import { z } from "@hono/zod-openapi";
import { DEFAULT_IMAGE, type DockerConfig } from "../config.ts";
import { EGRESS_LABEL, IMAGE_LABEL } from "../container/labels.ts";
import { callEngine } from "../engine/call_engine.ts";
import type { Engine } from "../engine/engine.ts";
import {
  engineMessage,
  engineStatus,
  rethrowAs,
} from "../engine/engine_error.ts";
import { readEngineResponse } from "../engine/stream_response.ts";
import { pullImage, type PullOptions } from "./pull_image.ts";

/** An image of the engine. */
export interface LocalImage {
  readonly id: string;
  /** True if it was built by `browsergrid docker build-image`. */
  readonly isProjectImage: boolean;
  /** True if its entrypoint can limit the networks that the container reaches. */
  readonly enforcesEgress: boolean;
}

const imageSchema = z.object({
  Id: z.string(),
  Config: z.object({ Labels: z.record(z.string(), z.string()).nullish() })
    .nullish(),
});

/** Returns the engine's image of that name; undefined if there is none. */
export async function findImage(
  engine: Engine,
  name: string,
  signal?: AbortSignal,
): Promise<LocalImage | undefined> {
  try {
    const path = `/images/${name}/json`;
    const text = await callEngine(
      (abortSignal) =>
        readEngineResponse(engine.docker.modem, { path, abortSignal }),
      { signal },
    );
    const { Id, Config } = imageSchema.parse(JSON.parse(text));
    const labels = Config?.Labels ?? {};
    return {
      id: Id,
      isProjectImage: labels[IMAGE_LABEL] !== undefined,
      enforcesEgress: labels[EGRESS_LABEL] !== undefined,
    };
  } catch (error) {
    if (engineStatus(error) === 404) return undefined;
    throw error;
  }
}

/**
 * Returns the image, pulled before if the policy requires it.
 *
 * @throws {Error} `Cannot pull image …` with the engine's message and the next step.
 */
export async function ensureImage(
  engine: Engine,
  name: string,
  policy: DockerConfig["pull"],
  progress: PullOptions,
): Promise<LocalImage> {
  const found = await findImage(engine, name, progress.signal)
    .catch(rethrowAs(`Cannot look for image "${name}"`));
  if (found && policy !== "always") return found;
  if (policy === "never") {
    throw new Error(
      `Cannot use image "${name}": the engine does not have it and pull is "never"`,
    );
  }
  try {
    await pullImage(engine, name, progress);
  } catch (error) {
    if (progress.signal.aborted) throw error;
    throw new Error(
      `Cannot pull image "${name}": ${engineMessage(error)}${
        renderAdvice(name)
      }`,
      { cause: error },
    );
  }
  const pulled = await findImage(engine, name, progress.signal);
  if (!pulled) throw new Error(`Cannot find image "${name}" after its pull`);
  return pulled;
}

function renderAdvice(name: string): string {
  return name === DEFAULT_IMAGE
    ? `; build it with "browsergrid docker build-image"`
    : "";
}
