import type { ReportResult } from "../client/client.ts";
import type { Report } from "./report.ts";

/** Maximum number of characters of final reports in one request: many sessions may end at once, each with its log. */
const MAX_TEXT = 200_000;

/** Maximum number of progress lines that are kept for a session. */
const MAX_PROGRESS = 50;

/**
 * The reports that are due: the latest of each session, repeated until the server responds to it.
 *
 * A held session stays as a minimal `starting` or `running` report, which renews its lease.
 */
export class Outbox {
  readonly #reports = new Map<string, Report>();

  /** Replaces the session's report and keeps its unsent progress lines. Ignores a report with an older fencing token. */
  put(report: Report): void {
    const before = this.#reports.get(report.session_id);
    if (before && before.fencing_token > report.fencing_token) return;
    const progress = [...before?.progress ?? [], ...report.progress ?? []];
    this.#reports.set(report.session_id, {
      ...report,
      ...(progress.length > 0
        ? { progress: progress.slice(-MAX_PROGRESS) }
        : {}),
    });
  }

  /** Adds a progress line to the report of a session that is starting. */
  addProgress(sessionId: string, line: string): void {
    const report = this.#reports.get(sessionId);
    if (!report || report.status !== "starting") return;
    this.put({ ...report, progress: [line.slice(0, 500).toWellFormed()] });
  }

  /** Returns the reports for one request: those of all held sessions, and as many final ones as fit. */
  snapshot(): readonly Report[] {
    let room = MAX_TEXT;
    return [...this.#reports.values()].filter((report) => {
      if (!isFinal(report)) return true;
      const fits = room > 0;
      room -= measureText(report);
      return fits;
    });
  }

  /** Ids of the sessions whose final report is due. */
  get endedIds(): readonly string[] {
    return [...this.#reports.values()].filter(isFinal).map(({ session_id }) =>
      session_id
    );
  }

  /** Number of due reports. */
  get size(): number {
    return this.#reports.size;
  }

  /**
   * Applies the server's results for the reports that were sent. Reports that were replaced since then remain due.
   *
   * @returns The ids of the sessions whose lease is lost.
   */
  settle(
    sent: readonly Report[],
    results: readonly ReportResult[],
  ): readonly string[] {
    const rejected = new Set(
      results.filter(({ result }) => result === "lease_lost").map((
        { session_id },
      ) => session_id),
    );
    const lost: string[] = [];
    for (const report of sent) {
      const { session_id, fencing_token } = report;
      const current = this.#reports.get(session_id);
      // Claimed again since the request: the result is about the old lease.
      if (current?.fencing_token !== fencing_token) continue;
      if (rejected.has(session_id)) {
        this.#reports.delete(session_id);
        lost.push(session_id);
      } else if (current === report) this.#acknowledge(current);
    }
    return lost;
  }

  #acknowledge(report: Report): void {
    if (isFinal(report)) {
      this.#reports.delete(report.session_id);
      return;
    }
    const { session_id, fencing_token, status } = report;
    this.#reports.set(session_id, { session_id, fencing_token, status });
  }
}

/** Returns true if the report is the session's last one. */
function isFinal({ status }: Report): boolean {
  return status !== "starting" && status !== "running";
}

function measureText({ logs = "", status_reason = "" }: Report): number {
  return logs.length + status_reason.length;
}
