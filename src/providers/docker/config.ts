import { z } from "zod";
import { secretSchema } from "../../core/provider/secret_options.ts";
import { memorySchema } from "../../core/schema.ts";

/** Default network. It is created, with separated containers, if it is missing. */
export const DEFAULT_NETWORK = "browsergrid";

/** Default image, which `browsergrid docker build-image` builds. */
export const DEFAULT_IMAGE = "browsergrid/chromium:latest";

/** Schema of the `provider_config` of a docker pool. */
export const dockerConfigSchema = z.strictObject({
  image: z.string().min(1).default(DEFAULT_IMAGE).describe(
    "Image of the browser; {browser} and {version} are replaced by the session's",
  ),
  pull: z.enum(["missing", "always", "never"]).default("missing").describe(
    "When to pull the image",
  ),
  registry_username: z.string().min(1).max(256).optional().describe(
    "User name for the registry of image, with registry_password; by default the worker's Docker configuration has the credentials (docker login)",
  ),
  registry_password: secretSchema().optional().describe(
    "Password or access token for the registry of image",
  ),
  docker_host: z.string().regex(/^(unix|npipe|tcp|https?):\/\/./).optional()
    .describe(
      "Address of the engine, such as unix:///var/run/docker.sock; by default DOCKER_HOST, then the default socket",
    ),
  network: z.string().min(1).default(DEFAULT_NETWORK).describe(
    "Network of the containers; created if missing, with its containers separated from each other",
  ),
  reach: z.enum(["auto", "address", "port"]).default("auto").describe(
    "How the worker reaches a browser: at the container's address, or at a port published on the engine's host",
  ),
  shm_size: memorySchema.default("1G").describe(
    "Size limit of /dev/shm; only the used part counts, as memory of the session",
  ),
  default_memory: memorySchema.default("4G").describe(
    "Memory limit of a session if neither it nor its pool sets one; the engine kills a browser that exceeds it",
  ),
  pids_limit: z.coerce.number().int().min(64).default(2048).describe(
    "Maximum number of processes and threads of one session",
  ),
  seccomp: z.enum(["browser", "engine", "unconfined"]).default("browser")
    .describe(
      "System call filter: browser, the project's, which allows Chromium's sandbox; engine, the engine's default; unconfined, none",
    ),
  sandbox: z.enum(["auto", "on", "off"]).default("auto").describe(
    "Chromium's own sandbox; auto turns it off only if the engine does not support it",
  ),
  start_timeout_seconds: z.coerce.number().min(1).max(600).default(60).describe(
    "Time limit for a container to start until its browser responds, without a pull",
  ),
  arguments: z.array(z.string()).default([]).describe(
    "Additional arguments for the browser",
  ),
});

/** Parsed configuration of a docker pool. */
export type DockerConfig = z.infer<typeof dockerConfigSchema>;
