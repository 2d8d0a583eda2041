/**
 * The contract of a provider: a way to run browsers.
 *
 * ```text
 * Provider (declaration, light) ── open() ──▶ BrowserHost (connection) ── start() ──▶ RunningBrowser
 * ```
 *
 * A provider knows nothing of HTTP, leases or the database.
 *
 * @module
 */
import type { z } from "@hono/zod-openapi";
import type {
  Browser,
  BrowserSpec,
  EgressMode,
  OperatingSystem,
  Proxy,
} from "./browser_spec.ts";
import type { Named } from "./registry.ts";

/** A way to run browsers: declared lightly, so that listing providers loads no engine library. */
export interface Provider<C extends z.ZodObject = z.ZodObject> extends Named {
  readonly displayName: string;
  readonly description: string;
  /** Shape of a pool's `provider_config`; also makes the options of `pool create <name>`. Every member needs `.describe()`, last. */
  readonly configSchema: C;
  /** Browsers and versions that this provider can start with `config`. No I/O. */
  browsers(config: z.infer<C>): readonly BrowserChoice[];
  /**
   * Returns why the provider cannot start the requested browser, as the end of a sentence such as "it gives no user
   * name to socks4 proxies"; undefined if it can. No I/O. The session is then rejected before it is queued.
   */
  unsupported?(wish: BrowserWish, config: z.infer<C>): string | undefined;
  /** Body of a new pool made from `config`: what is added to `name`, `provider_type` and `provider_config`. */
  poolConfig?(config: z.infer<C>): Readonly<Record<string, unknown>>;
  /** The command by which a person would start the same browser by hand. Secrets are shown as `…`. */
  deployCommand(spec: BrowserSpec, config: z.infer<C>): string;
  /**
   * Returns why sessions cannot be isolated from this host, as the end of a sentence; undefined if they can. Absent if
   * sessions are always isolated, because their browsers run elsewhere.
   */
  isolationProblem?(): Promise<string | undefined>;
  /** What else it can be told to do, mounted by the CLI as `browsergrid <provider> <command>`. */
  readonly commands?: readonly ProviderCommand[];
  /** Loads the engine and connects to it. Light: what is slow or may fail is left to `check` and `start`. */
  open(config: z.infer<C>, host: HostInfo): Promise<BrowserHost>;
}

/** A command of one provider, such as `browsergrid docker build-image`. */
export interface ProviderCommand<O extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  readonly description: string;
  /** Makes the command's options. Every member needs `.describe()`, last, and none is required without a default. */
  readonly optionsSchema: O;
  /** Does it and returns what is printed on stdout. */
  run(options: z.infer<O>, context: CommandContext): Promise<string>;
}

/** What a command may use of the program that runs it. */
export interface CommandContext {
  /** Told what a slow step is doing; not part of the result. */
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

/** Further requirements of a session that a provider may be unable to meet. */
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

/** Who is asking, so that what is started can be told from other grids' and workers' browsers. */
export interface HostInfo {
  readonly gridId: string;
  readonly workerId: string;
  /** Folder that this host may write to; survives a restart of the worker. */
  readonly dataDir: string;
  /** Selects the sessions that a sandbox isolates from the host, if their browsers run on it. @default {"auto"} */
  readonly localSandbox?: LocalSandbox | undefined;
  /** URL of the grid's server, which isolated sessions must not reach. */
  readonly serverUrl?: string | undefined;
  /** Told what a slow step is doing ("Pulling image …: 40 %"). */
  readonly onProgress?: (line: string) => void;
}

/** An open connection to the infrastructure that runs browsers. */
export interface BrowserHost extends AsyncDisposable {
  /** Reports what a start would need and whether it is there. Starts nothing. */
  check(): Promise<readonly CheckResult[]>;
  /**
   * Asks whether the infrastructure answers at all: cheap, and over within a few seconds. Rejects with what a person
   * can do about it. Absent where browsers run on the machine itself.
   */
  ping?(signal: AbortSignal): Promise<void>;
  /**
   * Gets what a start of `spec` would otherwise have to wait for: a browser to install, an image to pull. Without
   * `spec` it is what the first start would need.
   *
   * Cheap when all is there, and what it has found out is not asked again by the start that follows. Many at once share
   * one pull or installation; one that makes no progress is given up.
   */
  prepare?(signal: AbortSignal, spec?: BrowserSpec): Promise<void>;
  /**
   * Starts a browser and waits until it answers CDP.
   *
   * On failure or abort nothing is left running, and the error carries the browser's last output.
   */
  start(
    spec: BrowserSpec,
    sessionId: string,
    signal: AbortSignal,
  ): Promise<RunningBrowser>;
  /**
   * A text that changes when a start of `spec` would run another browser than before: another program, another image.
   *
   * Asked about every minute while browsers are kept ready, which are replaced when it has changed. Absent: they are
   * replaced by their age alone.
   */
  revision?(spec: BrowserSpec, signal: AbortSignal): Promise<string>;
  /** Takes over the browsers of an earlier process of this worker that still run. */
  adopt(): Promise<readonly RunningBrowser[]>;
  /**
   * Ends whatever this worker once started and is not in `keep`, a live view that has a session before its start: what
   * is there is listed first, and `keep` is asked then. Returns the session ids ended.
   */
  sweep(keep: ReadonlySet<string>): Promise<readonly string[]>;
}

/** One line of `browsergrid check`. */
export interface CheckResult {
  readonly name: string;
  /** `warn`: it works, but somebody should know. */
  readonly status: "ok" | "warn" | "fail";
  /** A sentence that a person can act on. */
  readonly detail: string;
}

/** Why a browser is gone. */
export interface BrowserExit {
  readonly reason: "stopped" | "crashed";
  /** For `status_reason`: "exit code 139", "killed by the engine: out of memory". */
  readonly detail: string;
}

/** Use of resources at one moment. */
export interface BrowserStats {
  /** 100 is one core. */
  readonly cpuPercent?: number;
  readonly memoryMb?: number;
  readonly networkRxBytes?: number;
  readonly networkTxBytes?: number;
}

/** A browser that answers CDP. */
export interface RunningBrowser {
  readonly sessionId: string;
  /** WebSocket URL of the browser itself (`ws://host:port/devtools/browser/<id>`), reachable from the worker. */
  readonly endpoint: URL;
  /**
   * Path of the unix socket that the browser listens on instead of the endpoint's address. The browser is isolated from
   * the network of its host, and the server reaches it through its worker's tunnel.
   */
  readonly socketPath?: string;
  /** What the session shows of it: `container_id`, `pid`, `image`, `browser_version`. Never a secret. */
  readonly details: Readonly<Record<string, string>>;
  /** Settles when the browser is gone, whoever ended it. Never rejects. */
  readonly exited: Promise<BrowserExit>;
  /**
   * Ends it: asks first, kills after `graceMs`. Idempotent. Resolves when nothing of it is left.
   *
   * Rejects, within a minute after `graceMs`, when that cannot be reached, such as while the infrastructure does not
   * answer. Its host then goes on with it in the background, and so does the sweep of a later process.
   */
  stop(graceMs: number): Promise<void>;
  /**
   * Resolves when the browser responds on a separate connection, even if its pages are busy; rejects with the failure.
   * The worker calls it every 10 s, kills a browser that fails for 45 s, and reports its session as `crashed`. If
   * absent, only `exited` reports a crash.
   */
  probe?(signal: AbortSignal): Promise<void>;
  stats?(): Promise<BrowserStats>;
  /** Its last lines of output. */
  logs?(lines: number): Promise<string>;
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

/**
 * Endpoints without an address, which the server never dials.
 *
 * @module
 */

/** Port of an endpoint that only its worker may dial. Nothing listens on it. */
export const NO_PORT = "0";

/** Prefix of such an endpoint. Its host is an address, because browsers reject names in `Host`. */
export const TUNNEL_ONLY = `ws://127.0.0.1:${NO_PORT}/`;

/** Replaces the address of an endpoint, so that it is reachable only through its worker's tunnel. */
export function throughTunnelOnly(endpoint: string): string {
  return TUNNEL_ONLY + new URL(endpoint).pathname.slice(1);
}

/** Reports whether an endpoint is reachable only through its worker's tunnel. */
export function isTunnelOnly({ port }: Pick<URL, "port">): boolean {
  return port === NO_PORT;
}
