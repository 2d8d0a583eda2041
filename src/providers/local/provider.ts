/**
 * Browsers as processes on the worker's host.
 *
 * ```text
 * provider.ts -> host.ts -> browser_finder.ts, install/ -> launch.ts -> local_browser.ts -> process/process_group.ts
 *                   |                                         +-> sandbox/: isolates the session from the host
 *                   +-----> record.ts -> adopt.ts, orphans.ts
 * ```
 *
 * Each browser has a folder with its profile, its output and its record. It runs in a separate process group and
 * survives a killed worker, so that the next process can adopt it.
 *
 * @module
 */
import { defineProvider } from "../../core/provider.ts";
import { findUnsupportedLocalProxy } from "../kit/unsupported_local_proxy.ts";
import { localConfigSchema } from "./config.ts";

/** The provider `local`. */
export const local = defineProvider({
  name: "local",
  displayName: "Local process",
  description: "Each browser a process on the worker's host",
  configSchema: localConfigSchema,
  browsers: () =>
    (["chrome", "chromium"] as const).map((browser) => ({
      browser,
      versions: ["latest", "stable"],
    })),
  unsupported: ({ proxy }) => findUnsupportedLocalProxy(proxy),
  async deployCommand(spec, config) {
    const { renderCommand } = await import("./deploy_command.ts");
    return renderCommand(spec, config);
  },
  async isolationProblem() {
    const { checkBoxSupport } = await import("./sandbox/box_support.ts");
    const support = await checkBoxSupport();
    return "problem" in support ? support.problem : undefined;
  },
  async open(config, info) {
    const { LocalHost } = await import("./host.ts");
    return new LocalHost(config, info);
  },
});
