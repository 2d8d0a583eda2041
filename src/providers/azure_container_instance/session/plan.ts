import type { BrowserSpec } from "../../../core/browser_spec.ts";
import type { HostInfo } from "../../../core/provider.ts";
import { IMAGE_CDP_PORT, IMAGE_ENTRYPOINT } from "../../kit/browser_image.ts";
import {
  createImageVariables,
  type ImageOptions,
  renderImageArguments,
} from "../../kit/image/image_options.ts";
import { type AzureConfig, readGroupSize } from "../config.ts";
import {
  createGroupBody,
  type GroupBody,
  secureVariables,
} from "../group/body.ts";
import { resolveSessionImage } from "../group/images.ts";
import { CREATED_TAG, SESSION_TAG, workerTags } from "../group/tags.ts";

/** Returns the container group of a session. Its variables are secret, its command is not. */
export function createSessionBody(
  spec: BrowserSpec,
  config: AzureConfig,
  host: HostInfo,
  sessionId: string,
): GroupBody {
  const size = readGroupSize(config);
  return createGroupBody(config, {
    tags: {
      ...workerTags(host),
      [SESSION_TAG]: sessionId,
      [CREATED_TAG]: String(Date.now()),
    },
    image: resolveSessionImage(config, spec),
    command: renderSessionCommand(spec, config),
    size: {
      cpu: spec.cpu ?? size.cpu,
      memoryGb: spec.memoryBytes === undefined
        ? size.memoryGb
        : spec.memoryBytes / 2 ** 30,
    },
    variables: secureVariables(createSessionVariables(spec, config)),
    port: IMAGE_CDP_PORT,
  });
}

/** Returns the image's entrypoint and the arguments of the browser. */
export function renderSessionCommand(
  spec: BrowserSpec,
  config: AzureConfig,
): readonly string[] {
  return [
    ...IMAGE_ENTRYPOINT,
    ...renderImageArguments(spec, toImageOptions(config)),
  ];
}

/** Returns the variables of a session's container, which contain secrets. */
export function createSessionVariables(
  spec: BrowserSpec,
  config: AzureConfig,
): Readonly<Record<string, string>> {
  return createImageVariables(spec, toImageOptions(config), []);
}

function toImageOptions(config: AzureConfig): ImageOptions {
  return {
    sandbox: config.sandbox,
    // Azure gives containers 64 MB of /dev/shm.
    arguments: ["--disable-dev-shm-usage", ...config.arguments],
    isProjectImage: true,
  };
}
