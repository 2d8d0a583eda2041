import type { withoutPassword } from "../../core/browser_spec.ts";
import type { SessionEventName } from "./event_types.ts";
import type { SeriesRow } from "../../db/series/reader.ts";
import type { sessions } from "./models.ts";
import type { QueueState } from "./queue_state.ts";
import type { SessionMetricValues } from "./schemas/history.ts";

/** Time for which the client of an ephemeral session counts as connected after its server has reported it. */
export const CLIENT_SEEN_MS = 20_000;

/** The stored row of a session, with its secrets. Does not leave the store. */
export type SessionRow = typeof sessions.$inferSelect;

/** Columns that only the claim and the gateway's lookup may read. */
export type SecretColumn = "proxy" | "environment" | "endpoint" | "logs";

/** A session without its secrets. */
export type Session = Readonly<Omit<SessionRow, SecretColumn>> & {
  readonly publicProxy: ReturnType<typeof withoutPassword> | null;
  readonly environmentNames: readonly string[];
  /** State of the queue, for a pending session. Absent if it was not read. */
  readonly waiting?: QueueState | null;
};

/** An event of a session. */
export interface SessionEvent {
  readonly seq: number;
  readonly sessionId: string;
  readonly event: SessionEventName;
  readonly data: Record<string, unknown>;
  readonly timestamp: number;
}

/** A measurement of a session, or several of an interval. */
export interface SessionMetric extends SessionMetricValues, SeriesRow {
  readonly cpu_percent_max: number | null;
  readonly memory_mb_max: number | null;
  readonly samples: number;
}
