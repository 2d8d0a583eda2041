import type { CheckResult } from "../../core/provider.ts";
import { createChildEnvironment } from "../kit/child_environment.ts";
import { findDisplayProblem } from "./display/display.ts";
import type { FoundBrowser } from "./find_browser.ts";
import { isRoot } from "./process/is_root.ts";
import type { Isolation } from "./sandbox/isolation.ts";

/** Checks browser, display, sandbox, isolation and limits of a host. Starts no browser except for its version. */
export async function checkLocal({ browser, hasSandbox, isolation }: {
  readonly browser: FoundBrowser | undefined;
  /** True if the browser's own sandbox is on for sessions that are not isolated. */
  readonly hasSandbox: boolean;
  readonly isolation: Isolation;
}): Promise<readonly CheckResult[]> {
  return [
    await checkBrowser(browser),
    await checkHeadful(browser),
    checkSandbox(hasSandbox),
    await isolation.check(),
    {
      name: "limits",
      status: "warn",
      detail:
        "cpu and memory of resource_limits are not enforced for local processes; the docker provider does",
    },
  ];
}

async function checkBrowser(
  browser: FoundBrowser | undefined,
): Promise<CheckResult> {
  const name = "browser";
  if (!browser) {
    return {
      name,
      status: "warn",
      detail:
        "No Chrome or Chromium was found; one is installed at the first start",
    };
  }
  const { path, source } = browser;
  const version = await readVersion(browser);
  return version === undefined
    ? {
      name,
      status: "fail",
      detail: `${path} (${source}) does not print its version`,
    }
    : { name, status: "ok", detail: `${version} at ${path} (${source})` };
}

async function readVersion(
  browser: FoundBrowser,
): Promise<string | undefined> {
  // On Windows `--version` opens a window.
  if (Deno.build.os === "windows") return "installed";
  try {
    const { stdout } = await new Deno.Command(browser.path, {
      args: ["--version", ...(isRoot() ? ["--no-sandbox"] : [])],
      stderr: "null",
      clearEnv: true,
      env: { ...createChildEnvironment(), ...browser.variables },
    }).output();
    return new TextDecoder().decode(stdout).trim() || undefined;
  } catch {
    return undefined;
  }
}

async function checkHeadful(
  browser: FoundBrowser | undefined,
): Promise<CheckResult> {
  const problem = browser?.headlessOnly
    ? `${browser.source} has no window`
    : await findDisplayProblem();
  return {
    name: "headful",
    status: problem ? "warn" : "ok",
    detail: problem ? `Not possible: ${problem}` : "Possible",
  };
}

function checkSandbox(hasSandbox: boolean): CheckResult {
  const name = "sandbox";
  return hasSandbox
    ? { name, status: "ok", detail: "Chromium's own sandbox is on" }
    : {
      name,
      status: "warn",
      detail:
        "Chromium's own sandbox is off for sessions that are not isolated, because root cannot use it: run the worker as another user",
    };
}
