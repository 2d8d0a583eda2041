/**
 * Browsers in Docker containers.
 *
 * ```text
 * provider.ts -> host.ts -> images/ (pull), engine/environment.ts, container/options.ts -> container/start.ts -> container.ts
 *                   +-----> container/adopt.ts (by labels), container/reaper.ts, check/
 * ```
 *
 * CDP is reached at the container's address if possible (a Linux engine behind a socket of this machine), because a
 * published port costs a copy in the engine's userland proxy, and otherwise at a random port of the engine's host. An
 * image receives Chromium's arguments as its command and serves CDP on port 9222. The head of `image/entrypoint.sh`
 * lists the variables that the project's image supports in addition.
 *
 * @module
 */
import { defineProvider } from "../../core/provider.ts";
import { findUnsupportedProxy } from "../kit/image/unsupported_proxy.ts";
import { dockerCommands } from "./commands.ts";
import { dockerConfigSchema } from "./config.ts";

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
  async deployCommand(spec, config) {
    const { renderRunCommand } = await import("./run_command.ts");
    return renderRunCommand(spec, config);
  },
  async open(config, host) {
    const { openDockerHost } = await import("./host.ts");
    return await openDockerHost(config, host);
  },
});
