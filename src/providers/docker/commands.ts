import { z } from "zod";
import {
  defineProviderCommand,
  type ProviderCommand,
} from "../../core/provider.ts";
import { DEFAULT_IMAGE, dockerConfigSchema } from "./config.ts";

const buildImage = defineProviderCommand({
  name: "build-image",
  description: "Build the project's browser image with the Docker engine",
  optionsSchema: z.strictObject({
    tag: z.string().min(1).default(DEFAULT_IMAGE).describe(
      "Name of the image",
    ),
    docker_host: dockerConfigSchema.shape.docker_host,
    network: z.string().min(1).optional().describe(
      "Network of the build's steps, such as host if containers have no internet access",
    ),
  }),
  async run(options, context) {
    const { buildImage } = await import("./images/build_image.ts");
    return `${await buildImage({ ...options, ...context })}\n`;
  },
});

const printSeccompProfile = defineProviderCommand({
  name: "seccomp-profile",
  description: "Print the system call filter that browsers run under",
  async run() {
    const { default: profile } = await import("./image/seccomp.json", {
      with: { type: "json" },
    });
    return `${JSON.stringify(profile, null, 2)}\n`;
  },
});

/** The subcommands of `browsergrid docker`. */
export const dockerCommands: readonly ProviderCommand[] = [
  buildImage,
  printSeccompProfile,
];
