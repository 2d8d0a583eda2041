/**
 * Browsers in Docker containers.
 *
 * ```text
 * provider.ts ─▶ host.ts ─▶ image.ts (pull), network.ts, container_options.ts (pure) ─▶ start_container.ts ─▶ container.ts
 *                   └─────▶ sweep.ts (adopt, sweep by labels), check.ts
 * ```
 *
 * A container's CDP is reached by the container's own address where that is possible (a Linux engine behind a socket
 * of this machine), because a published port costs a copy in the engine's userland proxy; else by a random port on the
 * engine's host. An image is given Chromium's arguments as its command and answers CDP on port 9222; what the
 * project's own image understands besides stands at the top of `image/entrypoint.sh`.
 *
 * @module
 */
import { defineProvider } from "../../core/provider.ts";
import { dockerCommands } from "./commands.ts";
import { dockerConfigSchema } from "./config.ts";
import { renderRunCommand } from "./run_command.ts";
import { findUnsupportedProxy } from "./network/unsupported_proxy.ts";

/** The provider `docker`. Loads the engine's library on `open`. */
export const docker = defineProvider({
  name: "docker",
  displayName: "Docker",
  description: "Each browser in a container of a Docker engine",
  configSchema: dockerConfigSchema,
  commands: dockerCommands,
  browsers({ image }) {
    const versions = image.includes("{version}") ? ["*"] : ["latest", "stable"];
    const browsers = image.includes("{browser}")
      ? ["chromium", "chrome", "edge"] as const
      : ["chromium", "chrome"] as const;
    return browsers.map((browser) => ({
      browser,
      versions,
      operatingSystems: ["linux"],
    }));
  },
  unsupported: ({ proxy, egress }) => findUnsupportedProxy(proxy, egress),
  deployCommand: renderRunCommand,
  async open(config, host) {
    const { openDockerHost } = await import("./host.ts");
    return await openDockerHost(config, host);
  },
});
