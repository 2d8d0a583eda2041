/**
 * The meaning of a pod's state: why it does not start, and why it has ended, in the words of the cluster.
 *
 * @see {@link https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/ Pod lifecycle}
 * @module
 */
import { cleanText } from "../api/api_error.ts";
import type { Pod } from "../api/objects.ts";
import type { PodState } from "../api/pod_watch.ts";
import type { BrowserExit } from "../../../core/provider.ts";

/** Reasons of a waiting container that the kubelet does not overcome. */
const FATAL_WAITS: ReadonlySet<string> = new Set([
  // Follows ErrImagePull once the kubelet has tried repeatedly or waits between tries.
  "ImagePullBackOff",
  "ErrImageNeverPull",
  "InvalidImageName",
  "CreateContainerError",
  "RunContainerError",
]);

/** Reasons of an image that cannot be pulled. */
const PULL_FAILURE =
  /^(ErrImagePull|ImagePullBackOff|ErrImageNeverPull|InvalidImageName)$/;

/** Reasons of a deletion because the node does not respond. */
const NODE_LOST = /^(DeletionByTaintManager|DeletionByPodGC|NodeLost)$/;

/** Exit code after SIGKILL. */
const KILLED = 137;

/** State of a pod that has not ended. */
export interface StartProgress {
  readonly isRunning: boolean;
  readonly isScheduled: boolean;
  /** Reason for which the start cannot succeed; undefined if it may. */
  readonly failure: string | undefined;
  /** Description of the present step, as the end of a sentence. */
  readonly step: string;
}

/** Reports how far the start of a pod has come. */
export function readProgress({ spec, status }: Pod): StartProgress {
  const container = findState({ status });
  const isScheduled = Boolean(spec.nodeName);
  const { reason = "", message = "" } = toWords(container?.waiting);
  const isRunning = Boolean(container?.running && status?.podIP);
  const waiting = renderReason(reason, message);
  return {
    isRunning,
    isScheduled,
    failure: FATAL_WAITS.has(reason)
      ? PULL_FAILURE.test(reason) ? `image pull failed: ${waiting}` : waiting
      : undefined,
    step: isRunning
      ? "its browser does not respond"
      : !isScheduled
      ? `it has no node: ${renderUnschedulable({ status })}`
      : waiting === "" || reason === "ContainerCreating"
      ? `node ${spec.nodeName} is creating its container`
      : waiting,
  };
}

/** Returns the reason of a failed pull while the kubelet still retries; undefined if there is none. */
export function readPullFailure(
  { status }: Pick<Pod, "status">,
): string | undefined {
  const { reason = "", message = "" } = toWords(findState({ status })?.waiting);
  return reason === "ErrImagePull" ? renderReason(reason, message) : undefined;
}

/** Returns the end of a pod; undefined while it runs. */
export function readExit(
  { pod, last, wasMissed }: PodState,
  { wasStopped = false }: {
    /** True if this worker has deleted it. */
    readonly wasStopped?: boolean;
  } = {},
): BrowserExit | undefined {
  const terminated = findState(last)?.terminated;
  const hasEnded = pod === undefined || terminated || isOver(last) ||
    isLost(last);
  if (!hasEnded) return undefined;
  if (wasStopped) return { reason: "stopped", detail: "stopped" };
  const cause = findCause(last, { isDeleted: pod === undefined });
  if (cause === undefined && terminated?.exitCode === 0) {
    return { reason: "stopped", detail: "the browser closed itself" };
  }
  const detail = cause ?? renderExitCode(terminated);
  const suffix = wasMissed ? ", while the Kubernetes API was away" : "";
  return { reason: "crashed", detail: `${detail}${suffix}` };
}

/** Reports whether a pod has a browser that may still respond. */
export function mayRespond(pod: Pod): boolean {
  return pod.status?.phase === "Running" && !pod.metadata.deletionTimestamp &&
    findState(pod)?.running !== undefined;
}

/** Reports whether a pod has ended and will not run again. */
export function isOver({ status }: Pick<Pod, "status">): boolean {
  return status?.phase === "Succeeded" || status?.phase === "Failed";
}

/** Returns the cause of a pod's end other than its program; undefined if there is none. */
function findCause(
  { metadata, status, spec }: Pod,
  { isDeleted }: { readonly isDeleted: boolean },
): string | undefined {
  const terminated = findState({ status })?.terminated;
  const { reason = "", message = "" } = toWords(status);
  const disruption = toWords(findCondition({ status }, "DisruptionTarget"));
  if (terminated?.reason === "OOMKilled") {
    return "killed by the kubelet: out of memory (OOMKilled)";
  }
  if (reason === "Evicted") return `evicted: ${message}`;
  if (reason === "DeadlineExceeded") {
    return `its active deadline is over: ${message || reason}`;
  }
  const lost = [reason, disruption.reason ?? ""].find((each) =>
    NODE_LOST.test(each)
  );
  if (lost !== undefined) {
    return `node ${spec.nodeName} lost: ${
      disruption.message || message || lost
    }`;
  }
  if (reason !== "") return renderReason(reason, message);
  if (disruption.reason !== undefined) {
    return `disrupted: ${renderReason(disruption.reason, disruption.message)}`;
  }
  if (!isDeleted && !metadata.deletionTimestamp) return undefined;
  return terminated
    ? `the pod was deleted, ${renderExitCode(terminated)}`
    : "the pod was deleted";
}

/** Reports whether the node of a pod does not respond, so that only the API can forget the pod. */
export function isLost({ metadata, status }: Pod): boolean {
  const { reason = "" } = toWords(
    findCondition({ status }, "DisruptionTarget"),
  );
  return status?.reason === "NodeLost" ||
    Boolean(metadata.deletionTimestamp) && NODE_LOST.test(reason);
}

function renderExitCode(
  terminated: { readonly exitCode: number } | null | undefined,
): string {
  if (!terminated) return "its container has ended";
  return terminated.exitCode === KILLED
    ? "killed (exit code 137)"
    : `exit code ${terminated.exitCode}`;
}

function renderUnschedulable({ status }: Pick<Pod, "status">): string {
  const { reason, message } = toWords(
    findCondition({ status }, "PodScheduled"),
  );
  return reason === undefined
    ? "the scheduler has not considered it yet"
    : renderReason(reason, message);
}

function renderReason(reason: string, message: string | undefined): string {
  return [reason, message].filter(Boolean).join(": ");
}

function findState({ status }: Pick<Pod, "status">) {
  return status?.containerStatuses?.[0]?.state;
}

function findCondition({ status }: Pick<Pod, "status">, type: string) {
  return status?.conditions?.find((each) =>
    each.type === type &&
    each.status === (type === "PodScheduled" ? "False" : "True")
  );
}

/** Returns texts of the cluster in a form for messages. */
function toWords(
  from:
    | {
      readonly reason?: string | null | undefined;
      readonly message?: string | null | undefined;
    }
    | null
    | undefined,
): { readonly reason?: string; readonly message?: string } {
  return {
    ...(from?.reason && { reason: cleanText(from.reason) }),
    ...(from?.message && { message: cleanText(from.message) }),
  };
}
