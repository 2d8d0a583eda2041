import type { VNode } from "preact";
import { formatCount, formatStatus } from "../format.ts";
import { Chart } from "../ui/chart.tsx";
import type { Activity } from "./count_by_minute.ts";

/** The chart of starts and failures of the last hour. */
export function ActivityChart(
  { activity: { times, started, failed } }: { readonly activity: Activity },
): VNode {
  return (
    <Chart
      label="Started and failed sessions of each minute of the last hour"
      kind="bars"
      times={times}
      series={[
        { label: "Started", color: "accent", values: started },
        { label: "Failed or crashed", color: "bad", values: failed },
      ]}
      height={280}
      format={formatCount}
    />
  );
}

/** The number of sessions that ended in the last hour, by status. */
export function EndedCounts(
  { activity: { ended } }: { readonly activity: Activity },
): VNode | null {
  const counts = Object.entries(ended).toSorted(([, one], [, other]) =>
    other - one
  );
  if (counts.length === 0) return null;
  return (
    <span class="dim">
      ended: {counts.map(([status, count]) =>
        `${formatCount(count)} ${formatStatus(status)}`
      ).join(", ")}
    </span>
  );
}
