import type { Core } from "../../core/app.ts";
import type { DatabaseOperation } from "../../core/database.ts";
import { CALL_BOUNDS } from "../../db/queued_client.ts";

const OPERATIONS: readonly DatabaseOperation[] = ["read", "write"];

const labels = { op: OPERATIONS.join(", ") };

/** Declares the metrics of the server itself and of its calls to the database. */
export function declareServerMetrics(
  { metrics, version, db }: Pick<Core, "metrics" | "version" | "db">,
): void {
  metrics.add({
    type: "gauge",
    declaration: {
      name: "browsergrid_build_info",
      help: "1, with the version of this server",
      labels: { version: "Version of the program" },
      scope: "process",
    },
    read: () => [{ labels: [version], value: 1 }],
  });
  metrics.add({
    type: "histogram",
    declaration: {
      name: "browsergrid_database_seconds",
      help:
        "Time from a call of the database to its result, with the waits for its turn and for locks",
      labels,
      scope: "process",
    },
    bounds: CALL_BOUNDS,
    read: () =>
      OPERATIONS.map((op) => {
        const { counts, sum } = db.measures[op].seconds;
        return { labels: [op], counts, sum };
      }),
  });
  metrics.add({
    type: "counter",
    declaration: {
      name: "browsergrid_database_busy_total",
      help: "Tries that found the database locked by another process",
      labels,
      scope: "process",
    },
    read: () =>
      OPERATIONS.map((op) => ({ labels: [op], value: db.measures[op].busy })),
  });
}
