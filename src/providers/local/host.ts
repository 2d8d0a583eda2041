import { join } from "node:path";
import { createChildEnvironment } from "../kit/child_environment.ts";
import type {
  BrowserHost,
  CheckResult,
  HostInfo,
} from "../../core/provider.ts";
import { allSettled } from "../../async/all_settled.ts";
import { abortable } from "../../async/abortable.ts";
import { settleWithin } from "../../async/settle_within.ts";
import { findDisplayProblem } from "./display/display.ts";
import { findBrowser, type FoundBrowser } from "./find_browser.ts";
import {
  findInstalledBrowser,
  installBrowser,
} from "./install/install_browser.ts";
import { launch } from "./launch.ts";
import { Orphans } from "./orphans.ts";
import { LocalBrowser } from "./local_browser.ts";
import { isRunning } from "./process/process_group.ts";
import type { LocalConfig } from "./provider.ts";
import { findBoxFolder } from "./sandbox/box_folder.ts";
import { Isolation } from "./sandbox/isolation.ts";
import {
  type BrowserRecord,
  isReady,
  readRecord,
  sessionFolders,
} from "./record.ts";
import { watchProcess } from "./process/watch_process.ts";

/** How long the end of a host waits for an installation that goes on. */
const CLOSE_WAIT_MS = 1_000;

/** This host, as far as `config` lets it be used. */
export function openLocalHost(
  config: LocalConfig,
  {
    gridId,
    workerId,
    dataDir,
    localSandbox,
    serverUrl,
    onProgress = () => {},
  }: HostInfo,
): BrowserHost {
  const root = join(dataDir, "local", gridId, workerId);
  const browsers = join(dataDir, "browsers");
  const sandbox = config.sandbox === "on" ||
    config.sandbox === "auto" && !isRoot();
  const closed = new AbortController();
  const orphans = new Orphans();
  const isolation = new Isolation(localSandbox, serverUrl);
  let ready: Promise<FoundBrowser> | undefined;

  async function find(): Promise<FoundBrowser | undefined> {
    return await findBrowser(config.executable_path) ??
      await findInstalledBrowser(browsers);
  }

  /** The browser to use, installed once if there is none. A failure is tried again by the next start. */
  function browser(): Promise<FoundBrowser> {
    ready ??= findOrInstall().catch((error: unknown) => {
      ready = undefined;
      throw error;
    });
    return ready;
  }

  async function findOrInstall(): Promise<FoundBrowser> {
    const found = await find() ?? await installBrowser(browsers, onProgress);
    onProgress(`Using the browser ${found.path} (${found.source})`);
    return found;
  }

  /** Reopens the egress and debugging connections of an earlier process's box. */
  async function reopened(
    { egress }: NonNullable<BrowserRecord["box"]>,
    folder: string,
  ) {
    const box = await findBoxFolder(folder);
    return box && {
      socketPath: box.cdpSocket,
      companions: await isolation.egresses.open(box, { egress }),
    };
  }

  return {
    async check() {
      const found = await find();
      return [
        found ? await checkBrowser(found) : {
          name: "browser",
          status: "warn",
          detail:
            "No Chrome or Chromium was found; one is installed at the first start",
        },
        await checkHeadful(found),
        sandbox
          ? {
            name: "sandbox",
            status: "ok",
            detail: "Chromium's own sandbox is on",
          }
          : {
            name: "sandbox",
            status: "warn",
            detail:
              "Chromium's own sandbox is off where a session is not isolated, because root cannot use it: run the worker as another user",
          },
        await isolation.check(),
        {
          name: "limits",
          status: "warn",
          detail:
            "cpu and memory of resource_limits are not enforced for local processes; the docker provider does",
        },
      ];
    },
    async prepare(signal) {
      await abortable(browser(), signal);
    },
    async revision(_spec, signal) {
      return await fingerprint((await abortable(browser(), signal)).path);
    },
    async start(spec, sessionId, signal) {
      const found = await abortable(browser(), signal);
      if (found.headlessOnly && !spec.headless) {
        throw new Error(
          `Cannot start a headful browser: "${found.path}" (${found.source}) has no window, expected Chrome or Chromium; or ask for headless: true`,
        );
      }
      const boxes = await isolation.boxesFor(spec);
      const folder = join(root, sessionId);
      await orphans.end(folder);
      try {
        return await launch({
          spec,
          sessionId,
          gridId,
          browser: found,
          folder,
          // In a box the browser is never root.
          sandbox: sandbox || boxes !== undefined && config.sandbox === "auto",
          arguments: config.arguments,
          boxes,
        }, signal);
      } catch (error) {
        // The browser may have been removed or replaced: look for it again next time.
        ready = undefined;
        throw error;
      }
    },
    async adopt() {
      const adopted: LocalBrowser[] = [];
      for (const { folder } of await sessionFolders(root)) {
        const record = await readRecord(folder);
        if (!record || !isReady(record) || !await isRunning(record)) continue;
        // Its way to its proxy has ended with the earlier process.
        if (record.has_forwarder) continue;
        const box = record.box && await reopened(record.box, folder);
        if (record.box && !box) continue;
        const exit = watchProcess(record, closed.signal);
        adopted.push(
          new LocalBrowser({ record, folder, exit, isAdopted: true, ...box }),
        );
      }
      return adopted;
    },
    async sweep(keep) {
      const doomed = (await sessionFolders(root)).filter(({ sessionId }) =>
        !keep.has(sessionId)
      );
      await allSettled(doomed, ({ folder }) => orphans.end(folder));
      return doomed.map(({ sessionId }) => sessionId);
    },
    /** Lets browsers run, so that the worker's next process can adopt them. */
    async [Symbol.asyncDispose]() {
      closed.abort();
      await isolation[Symbol.asyncDispose]();
      // The search for a browser that a start has given up on.
      if (ready) await settleWithin(ready, CLOSE_WAIT_MS);
    },
  };
}

/** A text that changes when another program stands at `path`. */
async function fingerprint(path: string): Promise<string> {
  const real = await Deno.realPath(path);
  const { mtime, size } = await Deno.stat(real);
  return [real, mtime?.getTime() ?? "", size].join(" ");
}

async function checkBrowser(found: FoundBrowser): Promise<CheckResult> {
  const version = await readVersion(found);
  return version === undefined
    ? {
      name: "browser",
      status: "fail",
      detail: `${found.path} (${found.source}) does not tell its version`,
    }
    : {
      name: "browser",
      status: "ok",
      detail: `${version} at ${found.path} (${found.source})`,
    };
}

async function readVersion(found: FoundBrowser): Promise<string | undefined> {
  // On Windows the question opens a window.
  if (Deno.build.os === "windows") return "installed";
  try {
    const { stdout } = await new Deno.Command(found.path, {
      args: ["--version", ...(isRoot() ? ["--no-sandbox"] : [])],
      stderr: "null",
      clearEnv: true,
      env: { ...createChildEnvironment(), ...found.variables },
    }).output();
    return new TextDecoder().decode(stdout).trim() || undefined;
  } catch {
    return undefined;
  }
}

async function checkHeadful(
  found: FoundBrowser | undefined,
): Promise<CheckResult> {
  const problem = found?.headlessOnly
    ? `${found.source} has no window`
    : await findDisplayProblem();
  return {
    name: "headful",
    status: problem ? "warn" : "ok",
    detail: problem ? `Not possible: ${problem}` : "Possible",
  };
}

function isRoot(): boolean {
  return Deno.build.os !== "windows" && Deno.uid() === 0;
}
