import { join } from "node:path";
import { abortable } from "../../async/abortable.ts";
import { allSettled } from "../../async/all_settled.ts";
import type { BrowserSpec } from "../../core/browser_spec.ts";
import type {
  BrowserHost,
  CheckResult,
  HostInfo,
  RunningBrowser,
} from "../../core/provider.ts";
import { adoptBrowsers } from "./adopt.ts";
import { BrowserFinder } from "./browser_finder.ts";
import { checkLocal } from "./check.ts";
import type { LocalConfig } from "./config.ts";
import { launch } from "./launch.ts";
import { Orphans } from "./orphans.ts";
import { OutputLimiter } from "./output_file.ts";
import { isRoot } from "./process/is_root.ts";
import { ProcessMeter } from "./process/process_meter.ts";
import { listSessionFolders } from "./record.ts";
import { Isolation } from "./sandbox/isolation.ts";

/** A host that runs browsers as processes of this machine. */
export class LocalHost implements BrowserHost {
  readonly #config: LocalConfig;
  readonly #gridId: string;
  /** Folder with a folder for each session. */
  readonly #root: string;
  /** True if the browser's own sandbox is on for sessions that are not isolated. */
  readonly #hasSandbox: boolean;
  readonly #browsers: BrowserFinder;
  readonly #isolation: Isolation;
  readonly #orphans = new Orphans();
  readonly #meter = new ProcessMeter();
  readonly #closed = new AbortController();
  readonly #outputs = new OutputLimiter(this.#closed.signal);

  constructor(config: LocalConfig, info: HostInfo) {
    const { gridId, workerId, dataDir, localSandbox, serverUrl } = info;
    this.#config = config;
    this.#gridId = gridId;
    this.#root = join(dataDir, "local", gridId, workerId);
    this.#hasSandbox = config.sandbox === "on" ||
      config.sandbox === "auto" && !isRoot();
    this.#browsers = new BrowserFinder({
      executablePath: config.executable_path,
      folder: join(dataDir, "browsers"),
      onProgress: info.onProgress ?? (() => {}),
    });
    this.#isolation = new Isolation(localSandbox, serverUrl);
  }

  async check(): Promise<readonly CheckResult[]> {
    return await checkLocal({
      browser: await this.#browsers.find(),
      hasSandbox: this.#hasSandbox,
      isolation: this.#isolation,
    });
  }

  async prepare(signal: AbortSignal): Promise<void> {
    await abortable(this.#browsers.get(), signal);
  }

  async revision(_spec: BrowserSpec, signal: AbortSignal): Promise<string> {
    const { path } = await abortable(this.#browsers.get(), signal);
    return await fingerprint(path);
  }

  async start(
    spec: BrowserSpec,
    sessionId: string,
    signal: AbortSignal,
  ): Promise<RunningBrowser> {
    const browser = await abortable(this.#browsers.get(), signal);
    if (browser.headlessOnly && !spec.headless) {
      throw new Error(
        `Cannot start a headful browser: "${browser.path}" (${browser.source}) has no window, expected Chrome or Chromium; or ask for headless: true`,
      );
    }
    const boxes = await this.#isolation.boxesFor(spec);
    const folder = join(this.#root, sessionId);
    await this.#orphans.end(folder);
    const { sandbox } = this.#config;
    try {
      return await launch({
        spec,
        sessionId,
        gridId: this.#gridId,
        browser,
        folder,
        // In a box the browser never runs as root.
        sandbox: this.#hasSandbox || boxes !== undefined && sandbox === "auto",
        arguments: this.#config.arguments,
        boxes,
        meter: this.#meter,
        outputs: this.#outputs,
      }, signal);
    } catch (error) {
      // The browser may have been removed or replaced.
      this.#browsers.forget();
      throw error;
    }
  }

  adopt(): Promise<readonly RunningBrowser[]> {
    return adoptBrowsers(this.#root, {
      egresses: this.#isolation.egresses,
      meter: this.#meter,
      outputs: this.#outputs,
      closed: this.#closed.signal,
    });
  }

  async sweep(keep: ReadonlySet<string>): Promise<readonly string[]> {
    const swept = (await listSessionFolders(this.#root)).filter((
      { sessionId },
    ) => !keep.has(sessionId));
    await allSettled(swept, ({ folder }) => this.#orphans.end(folder));
    return swept.map(({ sessionId }) => sessionId);
  }

  /** Leaves the browsers running, so that the worker's next process can adopt them. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    await this.#isolation[Symbol.asyncDispose]();
    await this.#browsers.settle();
  }
}

/** Returns a text that changes when the program at `path` is replaced. */
async function fingerprint(path: string): Promise<string> {
  const real = await Deno.realPath(path);
  const { mtime, size } = await Deno.stat(real);
  return [real, mtime?.getTime() ?? "", size].join(" ");
}
