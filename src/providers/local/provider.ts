/**
 * Browsers as processes on the worker's host.
 *
 * ```text
 * provider.ts ─▶ host.ts ─▶ browser_finder.ts, install/ ─▶ launch.ts ─▶ local_browser.ts ─▶ process/process_group.ts
 *                   │                                         └─▶ sandbox/: isolates the session from the host
 *                   └─────▶ record.ts ─▶ adopt.ts, orphans.ts
 * ```
 *
 * Each browser has a folder with its profile, its output and its record. It runs in a separate process group and
 * survives a killed worker, so that the next process can adopt it.
 *
 * @module
 */
import { defineProvider } from "../../core/provider.ts";
import { renderChromiumFlags } from "../kit/chromium_flags.ts";
import { quoteArgument } from "../kit/quote_argument.ts";
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
  unsupported({ proxy }) {
    const isSocks4 = proxy?.proxy_url.startsWith("socks4:");
    if (isSocks4 && proxy?.proxy_username !== undefined) {
      return `it sends no user name to socks4 proxies such as "${proxy.proxy_url}", expected socks5, http or https`;
    }
    return proxy?.proxy_password !== undefined &&
        proxy.proxy_username === undefined
      ? `it sends no password without a user name to proxy "${proxy.proxy_url}", expected proxy_username`
      : undefined;
  },
  deployCommand(spec, { executable_path = "chromium", arguments: more }) {
    const variables = Object.keys(spec.environment).map((name) => `${name}=…`);
    const flags = [
      "--remote-debugging-port=9222",
      ...renderChromiumFlags(spec, { more }),
    ];
    return [...variables, executable_path, ...flags.map(quoteArgument)].join(
      " ",
    );
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
