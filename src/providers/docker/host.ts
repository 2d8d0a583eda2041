import { abortable } from "../../async/abortable.ts";
import { allSettled } from "../../async/all_settled.ts";
import { settleWithin } from "../../async/settle_within.ts";
import type { BrowserSpec } from "../../core/browser_spec.ts";
import type {
  BrowserHost,
  CheckResult,
  HostInfo,
  RunningBrowser,
} from "../../core/provider.ts";
import { expandImageName } from "../kit/image/image_name.ts";
import { listMachineAddresses } from "../kit/machine_addresses.ts";
import { checkDocker } from "./check/check.ts";
import type { DockerConfig } from "./config.ts";
import {
  findRunningContainer,
  type FoundContainer,
  listContainers,
  readSessionId,
} from "./container/adopt.ts";
import { ContainerBrowser } from "./container/container.ts";
import { createLabels } from "./container/labels.ts";
import { createContainerOptions } from "./container/options.ts";
import { ContainerReaper } from "./container/reaper.ts";
import { startContainer } from "./container/start.ts";
import { type Engine, openEngine, pingEngine } from "./engine/engine.ts";
import { rethrowAs } from "./engine/engine_error.ts";
import {
  type EngineEnvironment,
  inspectEnvironment,
} from "./engine/environment.ts";
import { findImage } from "./images/image.ts";
import { Images } from "./images/images.ts";
import { findEgressProblem } from "./network/egress.ts";
import { findProxyProblem } from "./network/proxy.ts";

/** Maximum wait of the disposal for pending requests. */
const CLOSE_WAIT_MS = 10_000;

/** Maximum wait of a sweep for the removal of one container, which continues in the background. */
const SWEEP_WAIT_MS = 30_000;

/** Opens a host. Sends no request to the engine. */
export async function openDockerHost(
  config: DockerConfig,
  info: HostInfo,
): Promise<BrowserHost> {
  return new DockerHost(config, info, await openEngine(config));
}

/** A host that runs browsers as containers of one Docker engine. */
class DockerHost implements BrowserHost {
  readonly #config: DockerConfig;
  readonly #info: HostInfo;
  readonly #engine: Engine;
  /** Aborted on disposal: ends pulls and the watching of containers. */
  readonly #closed = new AbortController();
  /** Aborted at the end of the disposal: ends removals and pending creations. */
  readonly #abandoned = new AbortController();
  readonly #reaper: ContainerReaper;
  readonly #images: Images;
  #environment: Promise<EngineEnvironment> | undefined;

  constructor(config: DockerConfig, info: HostInfo, engine: Engine) {
    this.#config = config;
    this.#info = info;
    this.#engine = engine;
    this.#reaper = new ContainerReaper(engine, this.#abandoned.signal);
    this.#images = new Images(engine, {
      config,
      onProgress: info.onProgress ?? (() => {}),
      signal: this.#closed.signal,
    });
  }

  check(): Promise<readonly CheckResult[]> {
    return checkDocker(this.#engine, this.#config, {
      reaper: this.#reaper,
      dataDir: this.#info.dataDir,
    });
  }

  ping(signal: AbortSignal): Promise<void> {
    return pingEngine(this.#engine, signal);
  }

  async prepare(signal: AbortSignal, spec?: BrowserSpec): Promise<void> {
    await this.#images.fetch(expandImageName(this.#config.image, spec), signal);
  }

  /** Returns the id of the local image. A newer one of the registry is pulled by starts, as the pool configures. */
  async revision(spec: BrowserSpec, signal: AbortSignal): Promise<string> {
    const name = expandImageName(this.#config.image, spec);
    return (await findImage(this.#engine, name, signal))?.id ?? "";
  }

  async start(
    spec: BrowserSpec,
    sessionId: string,
    signal: AbortSignal,
  ): Promise<RunningBrowser> {
    signal.throwIfAborted();
    const image = expandImageName(this.#config.image, spec);
    try {
      return await this.#start(spec, { image, sessionId, signal });
    } catch (error) {
      // The engine, the network or the image may have been replaced or removed.
      this.#environment = undefined;
      this.#images.evict(image);
      throw error;
    }
  }

  async #start(
    spec: BrowserSpec,
    { image, sessionId, signal }: {
      readonly image: string;
      readonly sessionId: string;
      readonly signal: AbortSignal;
    },
  ): Promise<RunningBrowser> {
    const found = await this.#images.use(image, signal);
    const { isProjectImage } = found;
    const { network } = this.#config;
    const problem = findEgressProblem(spec, image, { ...found, network }) ??
      findProxyProblem(spec, isProjectImage);
    if (problem !== undefined) throw new Error(problem);
    const environment = await abortable(this.#inspect(), signal);
    if (environment.reachProblem !== undefined) {
      throw new Error(`Cannot reach browsers: ${environment.reachProblem}`);
    }
    await abortable(this.#removeEarlier(sessionId), signal);
    const create = createContainerOptions(spec, this.#config, {
      image,
      isProjectImage,
      labels: createLabels(this.#info, sessionId),
      gridAddresses: listMachineAddresses(),
      ...environment,
    });
    const started = await startContainer(this.#engine, {
      ...create,
      name: `browsergrid-${sessionId}-${crypto.randomUUID().slice(0, 4)}`,
    }, {
      timeoutMs: this.#config.start_timeout_seconds * 1_000,
      publishedOn: environment.publishOn,
      signal,
      reaper: this.#reaper,
      abandoned: this.#abandoned.signal,
    });
    return this.#browser(started, { sessionId, image });
  }

  /** Removes containers of the session that a killed process has left. No sweep does while the session is held again. */
  async #removeEarlier(sessionId: string): Promise<void> {
    const containers = await listContainers(this.#engine, this.#info);
    await allSettled(
      containers.filter((container) => readSessionId(container) === sessionId),
      ({ Id }) => this.#reaper.remove(Id, SWEEP_WAIT_MS),
    );
  }

  async adopt(): Promise<readonly RunningBrowser[]> {
    const { publishOn } = await this.#inspect();
    const containers = await listContainers(this.#engine, this.#info);
    const found = await Promise.all(
      containers.filter(({ State }) => State === "running").map((listed) =>
        findRunningContainer(this.#engine, listed, {
          publishedOn: publishOn,
          closed: this.#closed.signal,
        })
      ),
    );
    const newestFirst = found.filter((container) => container !== undefined)
      .sort((a, b) => b.listed.Created - a.listed.Created);
    const adopted = new Map<string, RunningBrowser>();
    for (const container of newestFirst) {
      const { listed } = container;
      const sessionId = readSessionId(listed);
      // An earlier process died before it removed the older container.
      if (adopted.has(sessionId)) {
        void this.#reaper.remove(listed.Id, SWEEP_WAIT_MS).catch(() => {});
        continue;
      }
      const image = listed.Image;
      adopted.set(sessionId, this.#browser(container, { sessionId, image }));
    }
    return [...adopted.values()];
  }

  async sweep(keep: ReadonlySet<string>): Promise<readonly string[]> {
    const containers = await listContainers(this.#engine, this.#info);
    const swept = containers.filter((container) =>
      !keep.has(readSessionId(container))
    );
    await allSettled(
      swept,
      ({ Id }) => this.#reaper.remove(Id, SWEEP_WAIT_MS),
    );
    return swept.map(readSessionId);
  }

  /** Leaves the containers running, so that the worker's next process can adopt them. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new Error("The docker host was closed"));
    await settleWithin(
      Promise.allSettled([
        this.#reaper.idle(),
        this.#images.idle(),
        this.#environment,
      ]),
      CLOSE_WAIT_MS,
    );
    this.#abandoned.abort(new Error("The docker host was closed"));
    await this.#reaper.idle();
  }

  #browser(
    { info, endpoint, product }: Omit<FoundContainer, "listed">,
    { sessionId, image }: {
      readonly sessionId: string;
      readonly image: string;
    },
  ): ContainerBrowser {
    return new ContainerBrowser({
      sessionId,
      container: this.#engine.docker.getContainer(info.Id),
      endpoint,
      details: {
        container_id: info.Id,
        image,
        browser_version: product,
      },
      startedAt: Date.parse(info.State.StartedAt),
      reaper: this.#reaper,
      closed: this.#closed.signal,
    });
  }

  /** Inspects the engine once. A failure is not cached. */
  #inspect(): Promise<EngineEnvironment> {
    this.#environment ??= inspectEnvironment(
      this.#engine,
      this.#config,
      { dataDir: this.#info.dataDir, signal: this.#closed.signal },
    ).catch((error) => {
      this.#environment = undefined;
      throw error;
    }).catch(rethrowAs("Cannot inspect the Docker engine"));
    return this.#environment;
  }
}
