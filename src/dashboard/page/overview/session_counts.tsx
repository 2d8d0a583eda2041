import type { VNode } from "preact";
import { formatCount } from "../format.ts";
import { buildHref } from "../routing.ts";
import type { Activity } from "./count_by_minute.ts";
import type { GridState } from "./grid_state.ts";

/** A number of the overview. */
interface Tile {
  readonly title: string;
  readonly value: string;
  readonly tone: string;
  /** Page with the sessions that it counts. */
  readonly href?: string;
}

/** Statuses of sessions that live, with title and colour. */
const LIVE = [
  ["running", "Running", "good"],
  ["starting", "Starting", "info"],
  ["pending", "Pending", "wait"],
] as const;

/** The numbers of sessions: those that live by status, and what happened in the last hour. */
export function SessionCounts(
  { state, activity }: {
    readonly state: GridState;
    readonly activity: Activity | undefined;
  },
): VNode {
  const live = LIVE.map(([status, title, tone]) => ({
    title,
    value: formatCount(state.counts[status]) + (state.isPartial ? "+" : ""),
    tone,
    href: buildHref("sessions", { status }),
  }));
  const tiles: readonly Tile[] = [...live, ...countHour(activity)];
  return (
    <ul class="tiles">
      {tiles.map(({ title, value, tone, href }) => (
        <li key={title}>
          <a class="tile" {...href === undefined ? {} : { href }}>
            <span class="tile-title">
              <i class={`swatch ${tone}`} />
              {title}
            </span>
            <b>{value}</b>
          </a>
        </li>
      ))}
    </ul>
  );
}

function countHour(activity: Activity | undefined): readonly Tile[] {
  const render = (values: readonly number[] | undefined) =>
    values
      ? formatCount(values.reduce((sum, each) => sum + each, 0))
      : "\u2013";
  return [{
    title: "Started, last hour",
    value: render(activity?.started),
    tone: "accent",
  }, {
    title: "Failed, last hour",
    value: render(activity?.failed),
    tone: "bad",
    href: buildHref("sessions", { status: "failed,crashed" }),
  }];
}
