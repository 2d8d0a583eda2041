import type { VNode } from "preact";
import { formatStatus } from "../format.ts";

/** Colours by status of a session, pool or worker. */
const TONES: Readonly<Record<string, string>> = {
  running: "good",
  online: "good",
  active: "good",
  delivered: "good",
  starting: "info",
  busy: "info",
  pending: "wait",
  paused: "wait",
  draining: "wait",
  timed_out: "wait",
  expired: "wait",
  failed: "bad",
  failing: "bad",
  stopped: "bad",
  crashed: "bad",
};

/** A status in its colour. */
export function Badge({ status }: { readonly status: string }): VNode {
  return (
    <span class={`badge ${TONES[status] ?? "calm"}`}>
      {formatStatus(status)}
    </span>
  );
}
