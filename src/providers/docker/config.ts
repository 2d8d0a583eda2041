import { z } from "@hono/zod-openapi";
import { memorySchema } from "../../core/browser_spec.ts";

/** Network that is made, with its containers kept apart from each other, unless a pool names another one. */
export const DEFAULT_NETWORK = "browsergrid";

/** Image that `browsergrid docker build-image` builds. */
export const DEFAULT_IMAGE = "browsergrid/chromium:latest";

/** Shape of `provider_config` of a docker pool. */
export const dockerConfigSchema = z.strictObject({
  image: z.string().min(1).default(DEFAULT_IMAGE).describe(
    "Image of the browser; {browser} and {version} are replaced by what a session asks for",
  ),
  pull: z.enum(["missing", "always", "never"]).default("missing").describe(
    "When the image is pulled",
  ),
  docker_host: z.string().regex(/^(unix|npipe|tcp|https?):\/\/./).optional()
    .describe(
      "Address of the engine, e.g. unix:///var/run/docker.sock; by default DOCKER_HOST, then the usual socket",
    ),
  network: z.string().min(1).default(DEFAULT_NETWORK).describe(
    "Network of the containers; made if missing, with its containers kept apart from each other",
  ),
  reach: z.enum(["auto", "address", "port"]).default("auto").describe(
    "How the worker reaches a browser: by the container's address, or by a port published on the engine's host",
  ),
  shm_size: memorySchema.default("1G").describe(
    "Upper limit of /dev/shm; only what is used counts, and it counts as memory of the session",
  ),
  default_memory: memorySchema.default("4G").describe(
    "Memory limit of a session if neither it nor its pool has one; the engine kills a browser that exceeds it",
  ),
  pids_limit: z.coerce.number().int().min(64).default(2048).describe(
    "Most processes and threads of one session",
  ),
  seccomp: z.enum(["browser", "engine", "unconfined"]).default("browser")
    .describe(
      "System call filter: the project's, which lets Chromium's sandbox work, the engine's own, or none",
    ),
  sandbox: z.enum(["auto", "on", "off"]).default("auto").describe(
    "Chromium's own sandbox: auto turns it off only where the engine does not allow it",
  ),
  start_timeout_seconds: z.coerce.number().min(1).max(600).default(60).describe(
    "How long a container may take until its browser answers, not counting a pull",
  ),
  arguments: z.array(z.string()).default([]).describe(
    "Further arguments for the browser",
  ),
});

/** Parsed configuration of a docker pool. */
export type DockerConfig = z.infer<typeof dockerConfigSchema>;
