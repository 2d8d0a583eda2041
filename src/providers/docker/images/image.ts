import { z } from "zod";
import { truncate } from "../../../core/text.ts";
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
import { type Progress, pullImage } from "./pull_image.ts";
import {
  type CredentialsConfig,
  findCredentials,
  type FoundCredentials,
  removeSecrets,
} from "../registry/credentials.ts";
import { parseRegistry } from "../registry/registry_name.ts";

/** Maximum length of an engine's message in an error. */
const MAX_MESSAGE = 1_000;

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

/** Options of {@linkcode ensureImage}. */
export interface EnsureOptions extends Progress {
  readonly config: Pick<DockerConfig, "pull"> & CredentialsConfig;
}

/**
 * Returns the image, pulled before if the policy requires it.
 *
 * @throws {Error} `Cannot pull image ...` with the engine's message and the next step.
 */
export async function ensureImage(
  engine: Engine,
  name: string,
  { config, ...progress }: EnsureOptions,
): Promise<LocalImage> {
  const { pull } = config;
  const found = await findImage(engine, name, progress.signal)
    .catch(rethrowAs(`Cannot look for image "${name}"`));
  if (found && pull !== "always") return found;
  if (pull === "never") {
    throw new Error(
      `Cannot use image "${name}": the engine does not have it and pull is "never"`,
    );
  }
  const access = await findCredentials(name, config, progress.signal)
    .catch(rethrowAs(`Cannot pull image "${name}"`));
  try {
    const auth = access.credentials?.auth;
    await pullImage(engine, name, { ...progress, auth });
  } catch (error) {
    if (progress.signal.aborted) throw error;
    throw createPullError(error, name, access);
  }
  const pulled = await findImage(engine, name, progress.signal);
  if (!pulled) throw new Error(`Cannot find image "${name}" after its pull`);
  return pulled;
}

/** Returns the error of a failed pull, with the engine's message but without a secret that the registry repeats. */
function createPullError(
  error: unknown,
  name: string,
  access: FoundCredentials,
): Error {
  const { credentials } = access;
  const said = engineMessage(error);
  const message = truncate(
    credentials ? removeSecrets(said, credentials) : said,
    MAX_MESSAGE,
  );
  return new Error(
    `Cannot pull image "${name}": ${message}${
      renderAdvice(name, message, access)
    }`,
    // The error itself may repeat a secret.
    credentials ? {} : { cause: error },
  );
}

/** Matches messages of engines and registries about missing or wrong credentials. */
const DENIED =
  /unauthorized|denied|authentication|no basic auth|\b401\b|\b403\b/i;

function renderAdvice(
  name: string,
  message: string,
  { credentials, problem }: FoundCredentials,
): string {
  if (name === DEFAULT_IMAGE) {
    return `; build it with "browsergrid docker build-image"`;
  }
  if (!DENIED.test(message)) return "";
  if (problem !== undefined) return `; ${problem}`;
  const registry = parseRegistry(name);
  return credentials
    ? `; registry "${registry}" does not accept the credentials of ${credentials.source}, expected others in registry_username and registry_password of the pool`
    : `; there are no credentials for registry "${registry}", expected registry_username and registry_password of the pool, or "docker login" on the worker's host`;
}
