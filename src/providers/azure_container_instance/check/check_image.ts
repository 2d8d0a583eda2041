import type { CheckResult } from "../../../core/provider.ts";
import type { AzureConfig } from "../config.ts";
import {
  findRegistry,
  resolveSessionImage,
  resolveWorkerImage,
} from "../group/images.ts";

const DOCKER_HUB = "docker.io";

/**
 * Checks that the image has a registry for which there are credentials. The registry is not asked: Azure pulls from it,
 * and its network may be another.
 */
export function checkImage(config: AzureConfig): CheckResult {
  const { registry_server: server } = config;
  const image = config.unit === "worker"
    ? resolveWorkerImage(config)
    : resolveSessionImage(config);
  const registry = findRegistry(image);
  const result = (status: CheckResult["status"], detail: string) => ({
    name: "image",
    status,
    detail,
  });
  if (server === undefined) {
    return registry === DOCKER_HUB
      ? result(
        "warn",
        `Azure pulls image ${image} from Docker Hub, expected a registry of yours in image_prefix, such as myregistry.azurecr.io/browsergrid: build the image, and push it there`,
      )
      : result(
        "warn",
        `Azure pulls image ${image} without credentials, expected a public registry, or registry_server with registry_identity or a user name and password`,
      );
  }
  if (server !== registry) {
    return result(
      "fail",
      `Cannot pull image "${image}": its registry is ${registry} and the credentials are for ${server}, expected image_prefix or the image to begin with ${server}/`,
    );
  }
  const hasPassword = config.registry_username !== undefined &&
    config.registry_password !== undefined;
  return config.registry_identity !== undefined || hasPassword
    ? result("ok", `Azure pulls image ${image} with credentials`)
    : result(
      "fail",
      `Cannot pull image "${image}": registry_server is set without credentials, expected registry_identity, or registry_username and registry_password`,
    );
}
