import type { VNode } from "preact";
import type { SessionWire } from "../../../client/client.ts";
import { client } from "../api/client.ts";
import { formatMegabytes } from "../format.ts";
import { useResource } from "../live/use_resource.ts";
import { Chart } from "../ui/chart.tsx";
import { Empty, Fault, Loading } from "../ui/notice.tsx";
import { isLive } from "./status.ts";

/** Most measurements of a chart. */
const MAX_POINTS = 300;

const REFRESH_MS = 15_000;

/** Charts of the processor time and memory of a session's browser. */
export function Measurements(
  { session }: { readonly session: SessionWire },
): VNode {
  const { value: items, error } = useResource(
    `${session.id} ${isLive(session)}`,
    async (signal) => {
      const page = await client.listSessionMetrics(
        session.id,
        { limit: MAX_POINTS },
        { signal },
      );
      return page.items;
    },
    {
      changesBy: () => false,
      ...(isLive(session) ? { everyMs: REFRESH_MS } : {}),
    },
  );
  if (error !== undefined) return <Fault message={error} />;
  if (!items) return <Loading />;
  if (items.length < 2) {
    return (
      <Empty
        title={isLive(session)
          ? "There is no measurement yet"
          : "The session ended before it was measured"}
      />
    );
  }
  const times = items.map(({ timestamp }) => Date.parse(timestamp));
  return (
    <div class="columns even">
      <Chart
        label="Processor time of the browser, in percent of one core"
        kind="lines"
        times={times}
        series={[{
          label: "CPU, of one core",
          color: "accent",
          values: items.map(({ cpu_percent }) => cpu_percent),
        }]}
        format={(value) => `${Math.round(value)} %`}
      />
      <Chart
        label="Memory of the browser"
        kind="lines"
        times={times}
        series={[{
          label: "Memory",
          color: "good",
          values: items.map(({ memory_mb }) => memory_mb),
        }]}
        format={formatMegabytes}
      />
    </div>
  );
}
