import type { BrowserSpec } from "../../core/browser_spec.ts";
import type {
  BrowserHost,
  CheckResult,
  HostInfo,
  RunningBrowser,
} from "../../core/provider.ts";
import { checkDocker } from "./check.ts";
import type { DockerConfig } from "./config.ts";
import { ContainerBrowser, removeContainer } from "./container.ts";
import { containerOptions } from "./container_options.ts";
import {
  type Engine,
  type EngineInfo,
  inspectEngine,
  openEngine,
  pingEngine,
  publishedAddress,
} from "./engine.ts";
import { imageName } from "./image.ts";
import { Images } from "./images.ts";
import { labelsOf } from "./labels.ts";
import { ensureNetwork } from "./network.ts";
import { proxyProblem } from "./proxy.ts";
import { settledWithin } from "../settled_within.ts";
import { orAbort } from "../or_abort.ts";
import { startContainer } from "./start_container.ts";
import { adoptContainer, listOwn, sessionOf } from "./sweep.ts";

/** How long disposal waits for what an engine that hangs still owes. */
const CLOSE_WAIT_MS = 10_000;

/** Opens a host. Connects to no engine yet. */
export async function openDockerHost(
  config: DockerConfig,
  info: HostInfo,
): Promise<BrowserHost> {
  return new DockerHost(config, info, await openEngine(config));
}

/** Runs browsers as containers of one Docker engine. */
class DockerHost implements BrowserHost {
  readonly #config: DockerConfig;
  readonly #info: HostInfo;
  readonly #engine: Engine;
  readonly #closed = new AbortController();
  /** Removals that outlived a failed start. */
  readonly #removals = new Set<Promise<void>>();
  readonly #images: Images;
  #surroundings: Promise<Surroundings> | undefined;

  constructor(config: DockerConfig, info: HostInfo, engine: Engine) {
    this.#config = config;
    this.#info = info;
    this.#engine = engine;
    this.#images = new Images(engine, {
      policy: config.pull,
      onProgress: info.onProgress ?? (() => {}),
      signal: this.#closed.signal,
    });
  }

  check(): Promise<readonly CheckResult[]> {
    return checkDocker(this.#engine, this.#config);
  }

  ping(signal: AbortSignal): Promise<void> {
    return pingEngine(this.#engine, signal);
  }

  async prepare(signal: AbortSignal, spec?: BrowserSpec): Promise<void> {
    await this.#images.fetch(imageName(this.#config.image, spec), signal);
  }

  async start(
    spec: BrowserSpec,
    sessionId: string,
    signal: AbortSignal,
  ): Promise<RunningBrowser> {
    signal.throwIfAborted();
    const name = imageName(this.#config.image, spec);
    const { isOwn } = await this.#images.use(name, signal);
    const problem = proxyProblem(spec, isOwn);
    if (problem !== undefined) throw new Error(problem);
    const surroundings = await orAbort(this.#look(), signal);
    const create = containerOptions(spec, this.#config, {
      image: name,
      isOwnImage: isOwn,
      labels: labelsOf(this.#info, sessionId),
      ...surroundings,
    });
    try {
      const started = await startContainer(this.#engine, {
        ...create,
        name: `browsergrid-${sessionId}-${crypto.randomUUID().slice(0, 4)}`,
      }, {
        timeoutMs: this.#config.start_timeout_seconds * 1_000,
        publishedOn: surroundings.publishOn,
        signal,
        onCleanup: (removal) => this.#remember(removal),
      });
      return new ContainerBrowser({
        sessionId,
        container: started.container,
        endpoint: started.endpoint,
        details: {
          container_id: started.info.Id,
          image: name,
          browser_version: started.product,
        },
        startedAt: Date.parse(started.info.State.StartedAt),
        closed: this.#closed.signal,
      });
    } catch (error) {
      // The engine may have been replaced, the network or the image removed: look again next time.
      this.#surroundings = undefined;
      this.#images.forget(name);
      throw error;
    }
  }

  async adopt(): Promise<readonly RunningBrowser[]> {
    const { publishOn } = await this.#look();
    const containers = await listOwn(this.#engine, this.#info);
    const adopted = await Promise.all(
      containers.filter(({ State }) => State === "running").map((container) =>
        adoptContainer(this.#engine, container, {
          publishedOn: publishOn,
          closed: this.#closed.signal,
        })
      ),
    );
    return adopted.filter((browser) => browser !== undefined);
  }

  async sweep(keep: ReadonlySet<string>): Promise<readonly string[]> {
    const containers = await listOwn(this.#engine, this.#info);
    const doomed = containers.filter((container) =>
      !keep.has(sessionOf(container))
    );
    await Promise.all(
      doomed.map(({ Id }) =>
        removeContainer(this.#engine.docker.getContainer(Id))
      ),
    );
    return doomed.map(sessionOf);
  }

  /** Lets containers run, so that the worker's next process can adopt them. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new Error("The docker host was closed"));
    await settledWithin(
      Promise.allSettled([
        ...this.#removals,
        this.#images.idle(),
        this.#surroundings,
      ]),
      CLOSE_WAIT_MS,
    );
  }

  /** Asks the engine once; a failure is not remembered. */
  #look(): Promise<Surroundings> {
    this.#surroundings ??= lookAround(
      this.#engine,
      this.#config,
      this.#closed.signal,
    ).catch((error) => {
      this.#surroundings = undefined;
      throw error;
    });
    return this.#surroundings;
  }

  #remember(removal: Promise<void>): void {
    const done = removal.catch(() => {
      // Left for sweep(), which finds it by its labels.
    }).finally(() => this.#removals.delete(done));
    this.#removals.add(done);
  }
}

/** What is the same for all containers of an engine. */
interface Surroundings {
  readonly network: string;
  readonly init: boolean;
  readonly limitsSwap: boolean;
  readonly filtersSyscalls: boolean;
  readonly publishOn: string | undefined;
}

async function lookAround(
  engine: Engine,
  config: DockerConfig,
  signal: AbortSignal,
): Promise<Surroundings> {
  const [info, network] = await Promise.all([
    inspectEngine(engine, signal),
    ensureNetwork(engine, config.network, signal),
  ]);
  return {
    network,
    init: info.hasInit,
    limitsSwap: info.limitsSwap,
    filtersSyscalls: info.filtersSyscalls,
    publishOn: usesPorts(config, info)
      ? await publishedAddress(engine)
      : undefined,
  };
}

function usesPorts({ reach }: DockerConfig, info: EngineInfo): boolean {
  return reach === "auto" ? !info.sharesNetwork : reach === "port";
}
