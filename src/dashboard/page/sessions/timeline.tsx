import type { VNode } from "preact";
import type { SessionEventWire, SessionWire } from "../../../client/client.ts";
import { groupEvents } from "./timeline_entries.ts";
import { formatDateTime, formatStep, formatTime } from "../format.ts";

/** Titles and colours of events by name. */
const EVENTS: Readonly<Record<string, readonly [title: string, tone: string]>> =
  {
    session_created: ["Created", "calm"],
    session_assigned: ["Assigned to its pool", "calm"],
    session_starting: ["Claimed by a worker, starting", "info"],
    session_progress: ["Progress of the start", "info"],
    browser_started: ["Browser runs", "good"],
    session_idle: ["Idle", "wait"],
    session_active: ["In use again", "good"],
    session_completed: ["Completed", "calm"],
    session_crashed: ["Crashed", "bad"],
    session_timed_out: ["Timed out", "wait"],
    session_terminated: ["Terminated", "calm"],
    session_expired: ["Expired", "wait"],
    session_failed: ["Failed", "bad"],
    session_requeued: ["Queued again", "wait"],
    client_connected: ["Client connected", "accent"],
    client_disconnected: ["Client disconnected", "calm"],
  };

/** The events of a session in order, each with the time after the previous. */
export function Timeline(
  { session, events }: {
    readonly session: SessionWire;
    readonly events: readonly SessionEventWire[];
  },
): VNode {
  const groups = groupEvents(events);
  return (
    <ol class="timeline">
      {groups.map((group, index) => (
        <TimelineEntry
          key={group[0]?.seq}
          events={group}
          before={groups[index - 1]?.at(-1)?.timestamp ?? session.created_at}
        />
      ))}
    </ol>
  );
}

function TimelineEntry(
  { events, before }: {
    readonly events: readonly SessionEventWire[];
    readonly before: string;
  },
): VNode {
  const entries = events.map(({ event }) => EVENTS[event] ?? [event, "calm"]);
  const title = entries.map(([text]) => text).join(" \u00b7 ");
  const [[, tone] = ["", "calm"]] = entries;
  const timestamp = events[0]?.timestamp ?? before;
  const time = Date.parse(timestamp);
  const note = events.map(({ data }) => renderData(data)).filter(Boolean)
    .join("; ");
  return (
    <li class={tone}>
      <span class="timeline-title">{title}</span>
      <span class="timeline-time">
        <span class="dim" title="after the previous">
          {formatStep(time - Date.parse(before))}
        </span>{" "}
        <time dateTime={timestamp} title={formatDateTime(time)}>
          {formatTime(time)}
        </time>
      </span>
      {note !== "" && <span class="timeline-note">{note}</span>}
    </li>
  );
}

/** Returns what an event says in addition. The ids in it stand among the details. */
function renderData(data: SessionEventWire["data"]): string {
  const { reason, message, why, warm } = data;
  const texts = [reason, message, why].filter((each) =>
    typeof each === "string"
  );
  return [...texts, ...warm === true ? ["It was kept ready"] : []].join("; ");
}
