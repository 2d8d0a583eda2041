import type { VNode } from "preact";
import type { WorkerMetricWire } from "../../../client/client.ts";
import { formatMegabytes } from "../format.ts";
import { Chart } from "../ui/chart.tsx";
import { Empty } from "../ui/notice.tsx";

/** Charts of the processor time and memory of a worker's host. */
export function WorkerCharts(
  { measured }: { readonly measured: readonly WorkerMetricWire[] },
): VNode {
  if (measured.length < 2) {
    return <Empty title="There is no measurement yet" />;
  }
  const times = measured.map(({ timestamp }) => Date.parse(timestamp));
  return (
    <div class="columns even">
      <Chart
        label="Processor time of the host, in percent of all cores"
        kind="lines"
        times={times}
        series={[{
          label: "CPU, of all cores",
          color: "accent",
          values: measured.map(({ cpu_percent }) => cpu_percent),
        }]}
        format={(value) => `${Math.round(value)} %`}
      />
      <Chart
        label="Memory in use on the host"
        kind="lines"
        times={times}
        series={[{
          label: "Memory",
          color: "good",
          values: measured.map(({ memory_usage_mb }) => memory_usage_mb),
        }]}
        format={formatMegabytes}
      />
    </div>
  );
}
