import type Docker from "dockerode";
import { systemClock } from "../../../src/async/clock.ts";
import { docker } from "../docker.ts";
import { renderTime, type StoredObject } from "./objects.ts";
import { toContainer } from "./pod_container.ts";
import type { Store } from "./store.ts";

/** Pause before the kubelet tries again what failed. */
const RETRY_MS = 100;

/** Deviations of a pod from a normal start. */
export interface PodFate {
  /** Message of the scheduler, which finds no node. */
  readonly unschedulable?: string;
  readonly scheduleMs?: number;
  /** Command in place of the image's. */
  readonly command?: string[];
  /** Message of the registry, which has no such image. */
  readonly pullFailure?: string;
}

/** A node's part of a pod: its container and its status. */
export class PodRunner {
  readonly #store: Store;
  readonly #pod: StoredObject;
  readonly #clusterId: string;
  readonly #fate: PodFate;
  readonly #deleting = new AbortController();
  readonly #done: Promise<void>;
  #container: Docker.Container | undefined;
  #cause: { readonly reason: string; readonly message?: string } | undefined;
  #killTimer: ReturnType<typeof setTimeout> | undefined;
  #deadline: ReturnType<typeof setTimeout> | undefined;
  #isLost = false;
  #finished: Promise<void> | undefined;

  constructor(
    store: Store,
    pod: StoredObject,
    { clusterId, fate }: {
      readonly clusterId: string;
      readonly fate: PodFate;
    },
  ) {
    this.#store = store;
    this.#pod = pod;
    this.#clusterId = clusterId;
    this.#fate = fate;
    this.#done = this.#run().catch((error) => {
      if (!this.#deleting.signal.aborted) {
        this.#wait("RunContainerError", String(error));
      }
    });
  }

  /** Id of the container; undefined before it is created. */
  get containerId(): string | undefined {
    return this.#container?.id;
  }

  /** Begins or shortens the grace period; forgets the pod at once if it is 0, not scheduled or over. */
  delete(graceSeconds: number): void {
    const { phase } = this.#pod.status;
    const isOver = phase === "Succeeded" || phase === "Failed";
    if (isOver && graceSeconds > 0) return void this.#confirm();
    if (graceSeconds === 0 || !this.#pod.spec.nodeName) {
      this.#deleting.abort(new Error("deleted"));
      this.#store.remove("pods", this.#pod);
      void this.finish();
      return;
    }
    const { deletionGracePeriodSeconds: before } = this.#pod.metadata;
    if (before !== undefined && before <= graceSeconds) return;
    this.#store.update("pods", this.#pod, ({ metadata }) => {
      metadata.deletionTimestamp = renderTime(
        Date.now() + graceSeconds * 1_000,
      );
      metadata.deletionGracePeriodSeconds = graceSeconds;
    });
    if (this.#isLost) return;
    if (before === undefined) {
      void this.#signal("SIGTERM");
      this.#deleting.abort(new Error("deleted"));
      void this.#done.then(() => this.#confirm());
    }
    clearTimeout(this.#killTimer);
    this.#killTimer = setTimeout(
      () => void this.#signal("SIGKILL"),
      graceSeconds * 1_000,
    );
  }

  /** Ends the container for a reason of the cluster. */
  async end(reason: string, message?: string): Promise<void> {
    this.#cause = { reason, ...(message !== undefined && { message }) };
    await this.#signal("SIGKILL");
  }

  /** Marks the pod as one of a node that no longer responds. Only a deletion without a grace period removes it. */
  loseNode(): void {
    this.#isLost = true;
    this.#store.update("pods", this.#pod, ({ metadata, status }) => {
      metadata.deletionTimestamp = renderTime();
      metadata.deletionGracePeriodSeconds = 300;
      status.conditions.push({
        type: "DisruptionTarget",
        status: "True",
        reason: "DeletionByTaintManager",
        message: "Taint manager: deleting due to NoExecute taint",
      });
    });
  }

  /** Removes the container, whatever its state. */
  finish(): Promise<void> {
    this.#finished ??= this.#finish();
    return this.#finished;
  }

  async #finish(): Promise<void> {
    clearTimeout(this.#killTimer);
    clearTimeout(this.#deadline);
    this.#deleting.abort(new Error("deleted"));
    await this.#container?.remove({ force: true }).catch(() => {});
    await this.#done;
    await this.#container?.remove({ force: true }).catch(() => {});
  }

  async #confirm(): Promise<void> {
    await this.finish();
    this.#store.remove("pods", this.#pod);
  }

  async #run(): Promise<void> {
    const { signal } = this.#deleting;
    await systemClock.sleep(this.#fate.scheduleMs ?? 1, signal);
    if (this.#fate.unschedulable !== undefined) return this.#rejectNode();
    this.#update((pod) => {
      pod.spec.nodeName = "node-1";
      pod.status.conditions = [{ type: "PodScheduled", status: "True" }];
    });
    this.#wait("ContainerCreating");
    if (await this.#failsPull()) return;
    this.#container = await this.#create();
    signal.throwIfAborted();
    await this.#container.start();
    await this.#follow(this.#container);
  }

  #rejectNode(): void {
    this.#update(({ status }) => {
      status.conditions = [{
        type: "PodScheduled",
        status: "False",
        reason: "Unschedulable",
        message: this.#fate.unschedulable,
      }];
    });
  }

  /** Tries to pull, and reports the failure as a kubelet does: with the reason first, then the wait. */
  async #failsPull(): Promise<boolean> {
    const [{ image }] = this.#pod.spec.containers;
    const missing = await docker.getImage(image).inspect().then(
      () => undefined,
      () => `failed to pull and unpack image "${image}": not found`,
    );
    const message = this.#fate.pullFailure ?? missing;
    if (message === undefined) return false;
    this.#wait("ErrImagePull", message);
    await systemClock.sleep(RETRY_MS, this.#deleting.signal);
    this.#wait("ImagePullBackOff", `Back-off pulling image "${image}"`);
    return true;
  }

  /** Creates the container, again until the secrets of the pod exist. */
  async #create(): Promise<Docker.Container> {
    for (;;) {
      try {
        const options = toContainer(this.#pod, this.#store, this.#clusterId);
        const { command } = this.#fate;
        return await docker.createContainer({
          ...options,
          ...(command && { Entrypoint: command, Cmd: [] }),
        });
      } catch (error) {
        if (!/secret/i.test(String(error))) throw error;
        this.#wait("CreateContainerConfigError", String(error));
      }
      await systemClock.sleep(RETRY_MS, this.#deleting.signal);
    }
  }

  async #follow(container: Docker.Container): Promise<void> {
    const ending = container.wait();
    const { NetworkSettings } = await container.inspect();
    const [network] = Object.values(NetworkSettings.Networks);
    this.#update((pod) => {
      pod.status = {
        ...pod.status,
        phase: "Running",
        podIP: network?.IPAddress,
        startTime: renderTime(),
        containerStatuses: [
          this.#containerStatus({ running: { startedAt: renderTime() } }),
        ],
      };
    });
    this.#limitLifetime();
    const { StatusCode } = await ending;
    clearTimeout(this.#deadline);
    this.#setEnded(StatusCode);
  }

  #limitLifetime(): void {
    const { activeDeadlineSeconds: seconds } = this.#pod.spec;
    if (seconds === undefined) return;
    this.#deadline = setTimeout(() =>
      void this.end(
        "DeadlineExceeded",
        "Pod was active on the node longer than the specified deadline",
      ), Math.min(seconds * 1_000, 2 ** 31 - 1));
  }

  #setEnded(exitCode: number): void {
    const { reason, message } = this.#cause ?? {};
    const isOom = reason === "OOMKilled";
    this.#update((pod) => {
      pod.status = {
        ...pod.status,
        phase: exitCode === 0 ? "Succeeded" : "Failed",
        ...(!isOom && reason && { reason, message }),
        containerStatuses: [
          this.#containerStatus({
            terminated: {
              exitCode,
              reason: isOom ? reason : exitCode === 0 ? "Completed" : "Error",
              finishedAt: renderTime(),
            },
          }),
        ],
      };
    });
  }

  #wait(reason: string, message?: string): void {
    this.#update((pod) => {
      pod.status.containerStatuses = [
        this.#containerStatus({ waiting: { reason, message } }),
      ];
    });
  }

  #containerStatus(state: Record<string, unknown>): Record<string, unknown> {
    const [{ name, image }] = this.#pod.spec.containers;
    const ready = "running" in state;
    return { name, image, imageID: "", ready, restartCount: 0, state };
  }

  #update(mutate: (pod: StoredObject) => void): void {
    this.#store.update("pods", this.#pod, mutate);
  }

  async #signal(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    await this.#container?.kill({ signal }).catch(() => {});
  }
}
