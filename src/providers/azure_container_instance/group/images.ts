import type { BrowserSpec } from "../../../core/browser_spec.ts";
import { expandImageName } from "../../kit/image/image_name.ts";
import type { AzureConfig } from "../config.ts";

/** Returns the image of a session's browser. */
export function resolveSessionImage(
  { image, image_prefix }: Pick<AzureConfig, "image" | "image_prefix">,
  spec?: Pick<BrowserSpec, "browser" | "version">,
): string {
  return expandImageName(image ?? `${image_prefix}/chromium:latest`, spec);
}

/** Returns the image of a worker with a browser. */
export function resolveWorkerImage(
  { worker_image, image_prefix }: Pick<
    AzureConfig,
    "worker_image" | "image_prefix"
  >,
): string {
  return worker_image ?? `${image_prefix}/worker:latest`;
}

/** Returns the registry of an image by the rules of Docker: a first part with a dot or port, else Docker Hub. */
export function findRegistry(image: string): string {
  const [first = "", ...others] = image.split("/");
  return others.length > 0 && /[.:]|^localhost$/.test(first)
    ? first
    : "docker.io";
}
