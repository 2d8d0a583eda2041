import type { MetricRegistry } from "../core/metrics/registry.ts";
import type { ByteCounts, JoinedStream } from "./stream/joined_stream.ts";

/** Ways in which a server reaches browsers. */
const REACHES = ["direct", "local", "tunnel"] as const;

/** Path from a server to a browser: over the network, by a socket of its host, or through a tunnel. */
export type StreamReach = (typeof REACHES)[number];

/** The streams of one way. */
interface ReachStreams {
  readonly open: Set<JoinedStream>;
  /** Bytes of the streams that have ended. */
  readonly ended: ByteCounts;
}

const REACH_LABEL = { reach: REACHES.join(", ") };

/** Counts the open streams of this server and their bytes. Nothing is done for a byte: a scrape reads the streams. */
export class ConnectionMetrics {
  readonly #streams = new Map<StreamReach, ReachStreams>(
    REACHES.map((reach) => [
      reach,
      { open: new Set(), ended: { bytesIn: 0, bytesOut: 0 } },
    ]),
  );

  constructor(metrics: MetricRegistry) {
    metrics.add({
      type: "gauge",
      declaration: {
        name: "browsergrid_connections",
        help: "Open streams between clients and browsers",
        labels: REACH_LABEL,
        scope: "process",
      },
      read: () =>
        [...this.#streams].map(([reach, { open }]) => ({
          labels: [reach],
          value: open.size,
        })),
    });
    metrics.add({
      type: "counter",
      declaration: {
        name: "browsergrid_stream_bytes_total",
        help: "Bytes of streams between clients and browsers",
        labels: {
          direction: "in (from clients), out (to clients)",
          ...REACH_LABEL,
        },
        scope: "process",
      },
      read: () =>
        [...this.#streams].flatMap(([reach, streams]) => {
          const { bytesIn, bytesOut } = addBytes(streams);
          return [
            { labels: ["in", reach], value: bytesIn },
            { labels: ["out", reach], value: bytesOut },
          ];
        }),
    });
  }

  /** Counts a stream until it has ended. */
  add(reach: StreamReach, stream: JoinedStream): void {
    const streams = this.#streams.get(reach);
    if (!streams) return;
    const { open, ended } = streams;
    open.add(stream);
    void stream.ended.then(({ bytesIn, bytesOut }) => {
      open.delete(stream);
      ended.bytesIn += bytesIn;
      ended.bytesOut += bytesOut;
    });
  }
}

function addBytes({ open, ended }: ReachStreams): ByteCounts {
  const total = { ...ended };
  for (const stream of open) {
    const { bytesIn, bytesOut } = stream.readBytes();
    total.bytesIn += bytesIn;
    total.bytesOut += bytesOut;
  }
  return total;
}
