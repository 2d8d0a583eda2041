import { allSettled } from "../../async/all_settled.ts";
import { abortable } from "../../async/abortable.ts";
import { settleWithin } from "../../async/settle_within.ts";
import type { BrowserSpec } from "../../core/browser_spec.ts";
import type {
  BrowserHost,
  CheckResult,
  HostInfo,
  RunningBrowser,
} from "../../core/provider.ts";
import { limitsEgress } from "../kit/image/egress.ts";
import { expandImageName } from "../kit/image/image_name.ts";
import { listMachineAddresses } from "../kit/machine_addresses.ts";
import { needsCredentials } from "../kit/needs_credentials.ts";
import { rethrowAs, toReason } from "./api/api_error.ts";
import { KubernetesClient } from "./api/client.ts";
import { findCluster } from "./api/find_cluster.ts";
import type { Pod } from "./api/objects.ts";
import { checkKubernetes } from "./check/check.ts";
import { Connection, usesPortForward } from "./connection.ts";
import type { KubernetesConfig } from "./config.ts";
import {
  createSessionLabels,
  readSessionId,
  selectSessions,
} from "./pod/labels.ts";
import { createPodName } from "./pod/names.ts";
import { findOwner } from "./pod/owner.ts";
import { PodBrowser } from "./pod/pod_browser.ts";
import { reachBrowser } from "./pod/reach.ts";
import { type StartedPod, startPod, whileRunning } from "./pod/start.ts";
import { mayRespond } from "./pod/state.ts";
import { createSessionPod } from "./pod/template.ts";

/** Maximum wait of the disposal for pending requests. */
const CLOSE_WAIT_MS = 5_000;

/** Maximum wait of a sweep for the end of one pod, which continues in the background. */
const SWEEP_WAIT_MS = 30_000;

/** Timeout of the first response of an adopted browser, and of each request for it. */
const ADOPT_TIMEOUT_MS = 10_000;
const RESPONSE_TIMEOUT_MS = 5_000;

/** Timeout of a ping. */
const PING_TIMEOUT_MS = 3_000;

/** A host that runs each browser in a pod. */
export class KubernetesHost implements BrowserHost {
  readonly #config: KubernetesConfig;
  readonly #info: HostInfo;
  /** Aborted at the end of the disposal: ends removals and pending creations. */
  readonly #abandoned = new AbortController();
  readonly #closed = new AbortController();
  #connection: Promise<Connection> | undefined;

  constructor(config: KubernetesConfig, info: HostInfo) {
    this.#config = config;
    this.#info = info;
  }

  check(): Promise<readonly CheckResult[]> {
    return checkKubernetes(this.#config, this.#info);
  }

  async ping(signal: AbortSignal): Promise<void> {
    const { client } = await this.#connect();
    try {
      await client.version({
        signal,
        timeoutMs: PING_TIMEOUT_MS,
        retries: false,
      });
    } catch (error) {
      signal.throwIfAborted();
      throw new Error(
        `Kubernetes API at ${client.cluster.server.host} does not answer: ${
          toReason(error)
        }`,
        { cause: error },
      );
    }
  }

  /** Returns the name of the image. The cluster does not tell which image a registry has for it now. */
  revision(spec: BrowserSpec): Promise<string> {
    return Promise.resolve(expandImageName(this.#config.image, spec));
  }

  async start(
    spec: BrowserSpec,
    sessionId: string,
    signal: AbortSignal,
  ): Promise<RunningBrowser> {
    signal.throwIfAborted();
    this.#rejectUnsupported(spec);
    const connection = await this.#connect();
    await abortable(this.#removeEarlier(sessionId), signal);
    const { client } = connection;
    const create = createSessionPod(spec, this.#config, {
      name: createPodName(sessionId),
      labels: createSessionLabels(this.#info, sessionId),
      owner: findOwner(client.cluster),
      gridAddresses: listMachineAddresses(),
    });
    const started = await startPod(create, {
      ...connection,
      scheduleTimeoutMs: this.#config.schedule_timeout_seconds * 1_000,
      startTimeoutMs: this.#config.start_timeout_seconds * 1_000,
      signal,
      abandoned: this.#abandoned.signal,
    });
    return this.#browser(started, connection);
  }

  #rejectUnsupported(spec: BrowserSpec): void {
    const { unit, image, image_kind } = this.#config;
    if (unit === "worker") {
      throw new Error(
        'Cannot start a browser in a pod: the pool has unit "worker", whose workers the server starts, expected a pool with unit "session"',
      );
    }
    if (image_kind === "project") return;
    const problem = limitsEgress(spec)
      ? `the egress of work pool "${spec.egress.pool}" is ${spec.egress.mode} for this session`
      : needsCredentials(spec.proxy)
      ? "the proxy of this session has a user name"
      : undefined;
    if (problem === undefined) return;
    throw new Error(
      `Cannot start a browser in image "${image}": ${problem}, which only the project's image supports, expected image_kind project`,
    );
  }

  /** Removes pods of the session that a killed process has left. No sweep does while the session is held again. */
  async #removeEarlier(sessionId: string): Promise<void> {
    const earlier = (await this.#list()).filter((pod) =>
      readSessionId(pod) === sessionId
    );
    await this.#remove(earlier);
  }

  async adopt(): Promise<readonly RunningBrowser[]> {
    const connection = await this.#connect();
    const pods = (await this.#list()).filter(mayRespond);
    const found = await Promise.all(
      pods.map((pod) => this.#reach(pod, connection)),
    );
    const newestFirst = found.filter((each) => each !== undefined)
      .sort((a, b) => toCreation(b.pod).localeCompare(toCreation(a.pod)));
    const adopted = new Map<string, RunningBrowser>();
    for (const started of newestFirst) {
      const sessionId = readSessionId(started.pod);
      // An earlier process died before it removed the older pod.
      if (adopted.has(sessionId)) {
        void this.#remove([started.pod]).catch(() => {});
        continue;
      }
      adopted.set(sessionId, this.#browser(started, connection));
    }
    return [...adopted.values()];
  }

  async #reach(
    pod: Pod,
    { watch, forwards }: Connection,
  ): Promise<StartedPod | undefined> {
    watch.add(pod);
    return await whileRunning(
      pod,
      watch,
      this.#closed.signal,
      async (signal) => ({
        pod,
        ...await reachBrowser(pod, forwards, {
          timeoutMs: ADOPT_TIMEOUT_MS,
          responseTimeoutMs: RESPONSE_TIMEOUT_MS,
          signal,
        }),
      }),
    ).catch(() => undefined);
  }

  async sweep(keep: ReadonlySet<string>): Promise<readonly string[]> {
    const swept = (await this.#list()).filter((pod) =>
      !keep.has(readSessionId(pod))
    );
    await this.#remove(swept);
    return swept.map(readSessionId);
  }

  async #list(): Promise<readonly Pod[]> {
    const { client } = await this.#connect();
    try {
      const { pods } = await client.listPods(selectSessions(this.#info));
      return pods;
    } catch (error) {
      return rethrowAs("Cannot list this worker's pods")(error);
    }
  }

  async #remove(pods: readonly Pod[]): Promise<void> {
    const { reaper } = await this.#connect();
    await allSettled(
      pods,
      (pod) => reaper.remove(pod, { graceMs: 0, waitMs: SWEEP_WAIT_MS }),
    );
  }

  /** Leaves the pods running, so that the worker's next process can adopt them. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new Error("The kubernetes host was closed"));
    const connection = await this.#connection?.catch(() => undefined);
    if (connection) {
      await settleWithin(connection.reaper.idle(), CLOSE_WAIT_MS);
    }
    this.#abandoned.abort(new Error("The kubernetes host was closed"));
    await connection?.[Symbol.asyncDispose]();
  }

  #browser(started: StartedPod, connection: Connection): PodBrowser {
    const { pod, product } = started;
    const { name } = pod.metadata;
    return new PodBrowser({
      ...started,
      ...connection,
      sessionId: readSessionId(pod),
      details: {
        pod: name,
        namespace: connection.client.cluster.namespace,
        node: pod.spec.nodeName ?? "",
        image: pod.spec.containers[0]?.image ?? "",
        browser_version: product,
      },
      closed: this.#closed.signal,
    });
  }

  /** Finds the cluster once. A failure is not cached. */
  #connect(): Promise<Connection> {
    this.#connection ??= this.#open().catch((error) => {
      this.#connection = undefined;
      throw error;
    });
    return this.#connection;
  }

  async #open(): Promise<Connection> {
    const cluster = await findCluster(this.#config);
    return await Connection.open(new KubernetesClient(cluster), {
      labelSelector: selectSessions(this.#info),
      usesPortForward: usesPortForward(this.#config, cluster),
      info: this.#info,
      abandoned: this.#abandoned.signal,
    });
  }
}

function toCreation({ metadata }: Pod): string {
  return metadata.creationTimestamp ?? "";
}
