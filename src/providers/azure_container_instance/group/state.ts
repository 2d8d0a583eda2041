import { truncate } from "../../../core/text.ts";
import type { ContainerGroup } from "../arm/schemas.ts";

/** Maximum length of a text of Azure in a reason. */
const MAX_DETAIL = 500;

/** Exit code after SIGKILL. */
const KILLED = 137;

/** States of a group that has ended. */
const ENDED: ReadonlySet<string> = new Set([
  "Succeeded",
  "Failed",
  "Stopped",
  "Terminated",
]);

/** The state of a container group: it starts, runs at an address, or has ended. */
export type GroupState =
  | { readonly phase: "starting"; readonly detail: string | undefined }
  | { readonly phase: "running"; readonly ip: string | undefined }
  | GroupEnd;

/** The end of a container group. */
export interface GroupEnd {
  readonly phase: "ended";
  /** True if its program ended on its own, with exit code 0. */
  readonly isClean: boolean;
  /** Reason in the words of a session: "exit code 139", "killed by Azure: out of memory". */
  readonly detail: string;
}

/** The end of a group that Azure does not know any more. */
export const DELETED: GroupEnd = {
  phase: "ended",
  isClean: false,
  detail: "the container group was deleted",
};

/** Returns the state of a group from its views. */
export function readGroupState({ properties }: ContainerGroup): GroupState {
  const { provisioningState = "", instanceView, ipAddress } = properties;
  const [container] = properties.containers;
  const current = container?.properties.instanceView?.currentState;
  const state = instanceView?.state ?? "";
  if (provisioningState === "Deleting") return DELETED;
  if (state === "Stopped") {
    return {
      phase: "ended",
      isClean: false,
      detail: `${
        renderExit(current?.exitCode, current?.detailStatus)
      }, the container group was stopped`,
    };
  }
  const isFailed = provisioningState === "Failed" ||
    provisioningState === "Canceled";
  if (current?.state === "Terminated") {
    return {
      phase: "ended",
      isClean: current.exitCode === 0,
      detail: renderExit(current.exitCode, current.detailStatus),
    };
  }
  if (isFailed || ENDED.has(state)) {
    const what = isFailed ? `provisioning ${provisioningState}` : state;
    const detail = [what, readReason(properties)]
      .filter((part) => part !== undefined).join(": ");
    return { phase: "ended", isClean: false, detail };
  }
  if (state === "Running" && current?.state === "Running") {
    return { phase: "running", ip: ipAddress?.ip ?? undefined };
  }
  return { phase: "starting", detail: readReason(properties) };
}

function renderExit(
  exitCode: number | null | undefined,
  detailStatus: string | null | undefined,
): string {
  if (/oomkilled/i.test(detailStatus ?? "")) {
    return "killed by Azure: out of memory";
  }
  if (exitCode === KILLED) return "killed (exit code 137)";
  const code = exitCode === undefined || exitCode === null
    ? "no exit code"
    : `exit code ${exitCode}`;
  // Azure's usual words say no more than the code.
  return !detailStatus || /^(completed|error)$/i.test(detailStatus)
    ? code
    : `${code}: ${truncate(detailStatus, MAX_DETAIL)}`;
}

/** Returns the last warning of Azure, else the state that a container waits in. */
function readReason(
  { instanceView, containers: [container] }: ContainerGroup["properties"],
): string | undefined {
  const view = container?.properties.instanceView;
  const events = [...instanceView?.events ?? [], ...view?.events ?? []];
  const warning = events.findLast(({ type }) => type === "Warning");
  const text = warning?.message ?? view?.currentState?.detailStatus;
  return text ? truncate(text, MAX_DETAIL) : undefined;
}
