import { type Command, defineCommand } from "../command.ts";
import { connectClient } from "../config.ts";
import { word } from "../options/argument_types.ts";
import {
  metricsOptions,
  renderValue,
  toMetricsQuery,
} from "../options/metrics_options.ts";

/** `browsergrid session metrics`. */
export const metricsCommand: Command = defineCommand({
  name: "metrics",
  description: "List the resource use of a session's browser, the latest last",
  arguments: { session: word("id") },
  options: metricsOptions,
  examples: [
    "session metrics SESSION",
    "session metrics SESSION --interval 1m --limit 60",
    "session metrics SESSION --since 2026-11-24T10:15:00Z --json",
  ],
  async run({ session, ...options }, { output }) {
    const client = await connectClient(options, output);
    const query = toMetricsQuery(options);
    const { items } = await client.listSessionMetrics(session, query);
    if (options.json) return output.json(items);
    await output.table(
      [
        ...["time", "cpu %", "max cpu %", "memory mb", "max memory mb"],
        ...["received bytes", "sent bytes", "read bytes", "written bytes"],
      ],
      items.map((sample) => [
        sample.timestamp,
        ...[
          sample.cpu_percent,
          sample.cpu_percent_max,
          sample.memory_mb,
          sample.memory_mb_max,
          sample.network_rx_bytes,
          sample.network_tx_bytes,
          sample.disk_read_bytes,
          sample.disk_write_bytes,
        ].map(renderValue),
      ]),
      ["max memory mb", "max cpu %"],
    );
  },
});
