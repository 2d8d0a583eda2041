import type { IncomingMessage } from "node:http";
import type { Pod as PodSpec, Secret } from "kubernetes-types/core/v1.d.ts";
import { z } from "zod";
import { apiStatus, ConnectionError } from "./api_error.ts";
import type { Cluster } from "./cluster.ts";
import { createObject } from "./create_object.ts";
import {
  accessReviewSchema,
  eventListSchema,
  type Pod,
  podListSchema,
  podMetricsSchema,
  podSchema,
  versionSchema,
  type WatchEvent,
  watchEventSchema,
} from "./objects.ts";
import { type ApiLimits, Transport } from "./transport.ts";

/** Number of pods in one page of a list. */
const PAGE = 200;

/** Maximum length of one line of a watch. */
const MAX_LINE = 4 * 2 ** 20;

/** Timeout of requests for output and measurements, short because the end of a session waits for them. */
const OUTPUT_TIMEOUT_MS = 5_000;

/** Maximum size of the last lines of a pod's output. */
const MAX_LOG_BYTES = 1_048_576;

/** A right of a service account. */
export interface Access {
  readonly verb: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly group?: string;
}

/** A list of pods, and the version of the cluster's data from which a watch continues it. */
export interface PodList {
  readonly pods: readonly Pod[];
  readonly resourceVersion: string;
}

/** The Kubernetes API, as far as this provider needs it, in one namespace. */
export class KubernetesClient {
  readonly cluster: Cluster;
  readonly #transport: Transport;
  readonly #path: string;

  constructor(cluster: Cluster) {
    this.cluster = cluster;
    this.#transport = new Transport(cluster);
    this.#path = `/api/v1/namespaces/${cluster.namespace}`;
  }

  /** Returns the version of the API server. */
  async version(limits?: ApiLimits): Promise<string> {
    const { gitVersion } = await this.#get("/version", versionSchema, limits);
    return gitVersion;
  }

  /**
   * Creates a pod. Its name must be new: an existing pod of this name counts as created by an earlier attempt, whose
   * response was lost.
   *
   * @param isDryRun True to have the pod checked and not created.
   */
  async createPod(
    pod: PodSpec,
    limits?: ApiLimits,
    { isDryRun = false }: { readonly isDryRun?: boolean } = {},
  ): Promise<Pod> {
    const name = pod.metadata?.name ?? "";
    const created = await this.#create("pods", pod, { ...limits, isDryRun });
    return created === undefined
      ? await this.getPod(name, limits)
      : podSchema.parse(JSON.parse(created));
  }

  /** Creates a secret, unless it exists. */
  async createSecret(secret: Secret, limits?: ApiLimits): Promise<void> {
    await this.#create("secrets", secret, { ...limits, isDryRun: false });
  }

  getPod(name: string, limits?: ApiLimits): Promise<Pod> {
    return this.#get(`${this.#path}/pods/${name}`, podSchema, limits);
  }

  /** Lists the pods with these labels. */
  async listPods(
    labelSelector: string,
    limits?: ApiLimits,
  ): Promise<PodList> {
    const pods: Pod[] = [];
    let page: string | undefined;
    for (;;) {
      const query = {
        labelSelector,
        limit: String(PAGE),
        ...(page && { continue: page }),
      };
      const path = `${this.#path}/pods`;
      const text = await this.#transport.send({ path, query }, limits);
      const { items, metadata } = podListSchema.parse(JSON.parse(text));
      pods.push(...items);
      page = metadata.continue ?? undefined;
      if (!page) return { pods, resourceVersion: metadata.resourceVersion };
    }
  }

  /**
   * Deletes a pod. Resolves when the request is accepted; the pod exists until its containers have ended.
   *
   * @param graceSeconds Time between SIGTERM and SIGKILL. 0 forgets the pod even if its node does not respond.
   */
  async deletePod(
    name: string,
    graceSeconds: number,
    limits?: ApiLimits,
  ): Promise<void> {
    await this.#transport.send({
      method: "DELETE",
      path: `${this.#path}/pods/${name}`,
      body: {
        kind: "DeleteOptions",
        apiVersion: "v1",
        gracePeriodSeconds: graceSeconds,
      },
    }, limits);
  }

  /** Returns the last lines of a pod's output. */
  readLog(name: string, lines: number, limits?: ApiLimits): Promise<string> {
    return this.#transport.send({
      path: `${this.#path}/pods/${name}/log`,
      query: { tailLines: String(lines), limitBytes: String(MAX_LOG_BYTES) },
    }, { timeoutMs: OUTPUT_TIMEOUT_MS, ...limits });
  }

  /** Opens a stream of the last lines and all further output of a pod. */
  openLog(
    name: string,
    lines: number,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    return this.#transport.open({
      path: `${this.#path}/pods/${name}/log`,
      query: { follow: "true", tailLines: String(lines) },
    }, signal);
  }

  /** Yields changes of the pods with these labels, until the server ends the watch. */
  async *watchPods(
    { labelSelector, resourceVersion, timeoutSeconds, onOpen }: {
      readonly labelSelector: string;
      readonly resourceVersion: string;
      readonly timeoutSeconds: number;
      /** Called when the watch has begun. */
      readonly onOpen: () => void;
    },
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent, void> {
    const response = await this.#transport.open({
      path: `${this.#path}/pods`,
      query: {
        watch: "true",
        allowWatchBookmarks: "true",
        labelSelector,
        resourceVersion,
        timeoutSeconds: String(timeoutSeconds),
      },
    }, signal);
    onOpen();
    for await (const line of readLines(response)) {
      yield watchEventSchema.parse(JSON.parse(line));
    }
  }

  /** Returns the last warning of the cluster about a pod; undefined if there is none. */
  async findWarning(
    { metadata }: Pod,
    limits?: ApiLimits,
  ): Promise<string | undefined> {
    const path = `${this.#path}/events`;
    const fieldSelector = `involvedObject.uid=${metadata.uid}`;
    const query = { fieldSelector, limit: String(PAGE) };
    const text = await this.#transport.send({ path, query }, limits);
    const { items } = eventListSchema.parse(JSON.parse(text));
    const warnings = items.filter(({ type }) => type === "Warning").sort(
      (a, b) => toTime(a).localeCompare(toTime(b)),
    );
    const last = warnings.at(-1);
    return last && `${last.reason}: ${last.message}`;
  }

  /** Measures a pod. */
  podMetrics(name: string): Promise<z.infer<typeof podMetricsSchema>> {
    const { namespace } = this.cluster;
    return this.#get(
      `/apis/metrics.k8s.io/v1beta1/namespaces/${namespace}/pods/${name}`,
      podMetricsSchema,
      { timeoutMs: OUTPUT_TIMEOUT_MS, retries: false },
    );
  }

  /** Reports whether these credentials have a right in the namespace. */
  async mayAccess(access: Access, limits?: ApiLimits): Promise<boolean> {
    const { namespace } = this.cluster;
    const text = await this.#transport.send({
      method: "POST",
      path: "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
      body: {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SelfSubjectAccessReview",
        spec: { resourceAttributes: { ...access, namespace } },
      },
    }, limits);
    return accessReviewSchema.parse(JSON.parse(text)).status.allowed;
  }

  /** Reports whether an object exists. @throws {ApiError} With status 403 if it cannot be read. */
  async exists(
    kind: "secrets" | "runtimeclasses",
    name: string,
    limits?: ApiLimits,
  ): Promise<boolean> {
    const path = kind === "secrets"
      ? `${this.#path}/secrets/${name}`
      : `/apis/node.k8s.io/v1/runtimeclasses/${name}`;
    try {
      await this.#get(path, z.object({}), limits);
      return true;
    } catch (error) {
      if (apiStatus(error) === 404) return false;
      throw error;
    }
  }

  /** Returns the address and options of a WebSocket that forwards one connection to a port of a pod. */
  portForward(
    name: string,
    port: number,
  ): Promise<{ readonly url: URL; readonly options: Record<string, unknown> }> {
    return this.#transport.webSocketOptions(
      `${this.#path}/pods/${name}/portforward`,
    ).then(({ url, options }) => {
      url.searchParams.set("ports", String(port));
      return { url, options };
    });
  }

  async #get<T>(
    path: string,
    schema: z.ZodType<T>,
    limits?: ApiLimits,
  ): Promise<T> {
    return schema.parse(
      JSON.parse(await this.#transport.send({ path }, limits)),
    );
  }

  /** Returns the response of a creation; undefined if the object exists. */
  async #create(
    resource: string,
    body: unknown,
    { isDryRun, ...limits }: ApiLimits & { readonly isDryRun: boolean },
  ): Promise<string | undefined> {
    const query = isDryRun ? { dryRun: "All" } : {};
    const path = `${this.#path}/${resource}`;
    const request = { method: "POST", path, query, body } as const;
    return await createObject(this.#transport, request, limits);
  }
}

function toTime(
  { lastTimestamp, eventTime }: {
    readonly lastTimestamp?: string | null | undefined;
    readonly eventTime?: string | null | undefined;
  },
): string {
  return lastTimestamp ?? eventTime ?? "";
}

/** Yields the lines of a response. @throws {ConnectionError} If it breaks off, or a line is too long. */
async function* readLines(response: IncomingMessage): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for await (const chunk of response) {
      const lines = (rest + decoder.decode(chunk, { stream: true }))
        .split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > MAX_LINE) {
        throw new Error(`it sends a line of more than ${MAX_LINE} characters`);
      }
      yield* lines.filter((line) => line !== "");
    }
  } catch (error) {
    throw error instanceof Error ? new ConnectionError(error) : error;
  }
}
