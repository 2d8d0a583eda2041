/**
 * Contract of a provider, which runs browsers on some infrastructure.
 *
 * ```text
 * Provider (declaration, light) -- open() --> BrowserHost (connection) -- start() --> RunningBrowser
 * ```
 *
 * A provider knows nothing of HTTP, leases or the database.
 *
 * @module
 */
import type { z } from "zod";
import type {
  Browser,
  BrowserSpec,
  OperatingSystem,
  Proxy,
} from "./browser_spec.ts";
import type { EgressMode } from "./egress.ts";
import type { Machines } from "./provider/machines.ts";
import type { Named } from "./registry.ts";

/** A provider of browsers. Its declaration imports no engine library, so that listing providers is cheap. */
export interface Provider<C extends z.ZodObject = z.ZodObject> extends Named {
  readonly displayName: string;
  readonly description: string;
  /** Schema of a pool's `provider_config` and of the options of `pool create <name>`. Every member ends in `.describe()`. */
  readonly configSchema: C;
  /** Browsers and versions that this provider can start with `config`. No I/O. */
  browsers(config: z.infer<C>): readonly BrowserChoice[];
  /**
   * Returns why the provider cannot start the requested browser, as the end of a sentence such as "it gives no user
   * name to socks4 proxies"; undefined if it can. No I/O. The session is then rejected before it is queued.
   */
  unsupported?(wish: BrowserWish, config: z.infer<C>): string | undefined;
  /** Returns members of a new pool for `config`, in addition to `name`, `provider_type` and `provider_config`. */
  poolConfig?(config: z.infer<C>): Readonly<Record<string, unknown>>;
  /** Returns the command that starts the same browser manually. Secrets are shown as `...`. */
  deployCommand(
    spec: BrowserSpec,
    config: z.infer<C>,
  ): string | Promise<string>;
  /**
   * Returns why sessions cannot be isolated from this host, as the end of a sentence; undefined if they can. Absent if
   * sessions are always isolated, because their browsers run elsewhere.
   */
  isolationProblem?(): Promise<string | undefined>;
  /**
   * Returns how the workers of a pool with `config` run on machines that the server starts; undefined if they are
   * started otherwise. No I/O. Absent if the provider has no machines.
   */
  machines?(config: z.infer<C>): Machines | undefined;
  /** Commands of the provider: `browsergrid <provider> <command>`. */
  readonly commands?: readonly ProviderCommand[];
  /** Loads the engine library. Must be fast and must not fail; `check` and `start` do the rest. */
  open(config: z.infer<C>, host: HostInfo): Promise<BrowserHost>;
}

/** A command of one provider, such as `browsergrid docker build-image`. */
export interface ProviderCommand<O extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  readonly description: string;
  /** Schema of the command's options. Every member ends in `.describe()` and is optional or has a default. */
  readonly optionsSchema?: O;
  /** Runs the command and returns its output for stdout. */
  run(options: z.infer<O>, context: ProviderCommandContext): Promise<string>;
}

/** Dependencies of a provider's command. */
export interface ProviderCommandContext {
  /** Reports the progress of a slow step. */
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
}

/** One browser that can be started, with a pattern of its versions. */
export interface BrowserChoice {
  readonly browser: Browser;
  /** Channels that are accepted, e.g. `["latest", "stable"]`; `"*"` also accepts exact versions. */
  readonly versions: readonly string[];
  /** Operating systems of its browsers. Absent if it is the system of the worker's host. */
  readonly operatingSystems?: readonly OperatingSystem[] | undefined;
}

/** Other requirements of a session that a provider may be unable to meet. */
export interface BrowserWish {
  readonly proxy?: Proxy | undefined;
  readonly egress: EgressMode;
}

/**
 * Selects the sessions that are isolated from their browser's host: `auto` those of client keys, `require` all, `off`
 * none.
 */
export const LOCAL_SANDBOX = ["auto", "require", "off"] as const;

export type LocalSandbox = (typeof LOCAL_SANDBOX)[number];

/** Grid and worker of a host, which distinguish its browsers from those of others. */
export interface HostInfo {
  readonly gridId: string;
  readonly workerId: string;
  /** Folder that this host may write to; survives a restart of the worker. */
  readonly dataDir: string;
  /** Selects the sessions that a sandbox isolates from the host, if their browsers run on it. @default {"auto"} */
  readonly localSandbox?: LocalSandbox | undefined;
  /** URL of the grid's server, which isolated sessions must not reach. */
  readonly serverUrl?: string | undefined;
  /** Reports the progress of a slow step ("Pulling image ...: 40 %"). */
  readonly onProgress?: (line: string) => void;
}

/** An open connection to the infrastructure that runs browsers. */
export interface BrowserHost extends AsyncDisposable {
  /** Checks the requirements of a start. Starts nothing. */
  check(): Promise<readonly CheckResult[]>;
  /**
   * Checks whether the infrastructure responds, within a few seconds. Rejects with a message that says what to do.
   * Absent if browsers run on the worker's machine.
   */
  ping?(signal: AbortSignal): Promise<void>;
  /**
   * Installs the browser or pulls the image that a start of `spec` needs; without `spec`, for the first start.
   *
   * Cheap if everything is present; the next start reuses the result. Concurrent calls share one pull or installation,
   * which is aborted if it makes no progress.
   */
  prepare?(signal: AbortSignal, spec?: BrowserSpec): Promise<void>;
  /**
   * Starts a browser and waits until it responds to CDP.
   *
   * On failure or abort nothing keeps running, and the error contains the browser's last output.
   */
  start(
    spec: BrowserSpec,
    sessionId: string,
    signal: AbortSignal,
  ): Promise<RunningBrowser>;
  /**
   * Returns a text that changes when a start of `spec` would run another program or image than before.
   *
   * Called about every minute while there are warm browsers, which are replaced when it changes. If absent, they are
   * replaced only by age.
   */
  revision?(spec: BrowserSpec, signal: AbortSignal): Promise<string>;
  /** Takes over the browsers of an earlier process of this worker that still run. */
  adopt(): Promise<readonly RunningBrowser[]>;
  /**
   * Ends every browser of this worker that is not in `keep`, and returns the ids of their sessions. `keep` contains a
   * session before its start; the browsers are listed before `keep` is read.
   */
  sweep(keep: ReadonlySet<string>): Promise<readonly string[]>;
}

/** One line of `browsergrid check`. */
export interface CheckResult {
  readonly name: string;
  /** `warn`: starts work, but an operator should know. */
  readonly status: "ok" | "warn" | "fail";
  /** A sentence that a person can act on. */
  readonly detail: string;
}

/** Reason of a browser's end. */
export interface BrowserExit {
  readonly reason: "stopped" | "crashed";
  /** For `status_reason`: "exit code 139", "killed by the engine: out of memory". */
  readonly detail: string;
}

/** Resource usage at one moment. What the infrastructure does not show is absent. */
export interface BrowserStats {
  /** Use since the last call; 100 is one core. */
  readonly cpuPercent?: number;
  readonly memoryMb?: number;
  /** Bytes received and sent since the start. */
  readonly networkRxBytes?: number;
  readonly networkTxBytes?: number;
  /** Bytes read from and written to disks since the start. */
  readonly diskReadBytes?: number;
  readonly diskWriteBytes?: number;
}

/** Options of {@linkcode RunningBrowser.followLogs}. */
export interface FollowOptions {
  /** Number of last lines to begin with. */
  readonly lines: number;
  readonly signal: AbortSignal;
}

/** A part of a browser's output. */
export interface OutputPart {
  readonly text: string;
  /** Number of bytes, or about as many characters, that were left out before it. */
  readonly omitted: number;
}

/** A browser that responds to CDP. */
export interface RunningBrowser {
  readonly sessionId: string;
  /** WebSocket URL of the browser itself (`ws://host:port/devtools/browser/<id>`), reachable from the worker. */
  readonly endpoint: URL;
  /**
   * Path of the unix socket that the browser listens on instead of the endpoint's address. The browser is isolated from
   * the network of its host, and the server reaches it through its worker's tunnel.
   */
  readonly socketPath?: string;
  /** Details for the session: `container_id`, `pid`, `image`, `browser_version`. Never a secret. */
  readonly details: Readonly<Record<string, string>>;
  /** Resolves when the browser has ended for any reason. Never rejects. */
  readonly exited: Promise<BrowserExit>;
  /**
   * Closes the browser and kills it after `graceMs`. Idempotent. Resolves when nothing of it is left.
   *
   * Rejects within a minute after `graceMs` if that fails, such as while the infrastructure does not respond. The host
   * then retries in the background, and the sweep of a later process does too.
   */
  stop(graceMs: number): Promise<void>;
  /**
   * Resolves when the browser responds on a separate connection, even if its pages are busy; rejects with the failure.
   * The worker calls it every 10 s, kills a browser that fails for 45 s, and reports its session as `crashed`. If
   * absent, only `exited` reports a crash.
   */
  probe?(signal: AbortSignal): Promise<void>;
  /** Measures the browser. The worker calls it for all its sessions at once, periodically; the calls may share the work. */
  stats?(): Promise<BrowserStats>;
  /** Returns the last lines of its output. */
  logs?(lines: number): Promise<string>;
  /**
   * Yields the last lines of its output, then new output as it comes, with parts of at most 64 KB. What a slow reader
   * cannot take is left out and counted. Ends with the browser; once the signal is aborted, it yields the rest and ends.
   */
  followLogs?(options: FollowOptions): AsyncGenerator<OutputPart, void>;
}

/** Declares a provider with its configuration's type inferred. */
export function defineProvider<C extends z.ZodObject>(
  provider: Provider<C>,
): Provider<C> {
  return provider;
}

/** Declares a command of a provider with its options' type inferred. */
export function defineProviderCommand<O extends z.ZodObject>(
  command: ProviderCommand<O>,
): ProviderCommand<O> {
  return command;
}
