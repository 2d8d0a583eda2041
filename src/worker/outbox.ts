import type { ReportResult } from "../client/client.ts";
import type { Report } from "./held_session.ts";

/** Most characters of ends in one request: many sessions may end at once, each with its last output. */
const MAX_TEXT = 200_000;

function measureText({ logs = "", status_reason = "" }: Report): number {
  return logs.length + status_reason.length;
}

/** Statuses after which nothing more is to be said. */
function isFinal({ status }: Report): boolean {
  return status !== "starting" && status !== "running";
}

/**
 * What is to be said to the server: the latest report of each session, repeated until it is answered.
 *
 * A held session stays in it as a bare `starting` or `running`, which renews its lease.
 */
export class Outbox {
  readonly #reports = new Map<string, Report>();

  /** Puts a report in the place of the session's earlier one; progress lines that were not sent yet are kept. One under an older lease is dropped. */
  put(report: Report): void {
    const before = this.#reports.get(report.session_id);
    if (before && before.fencing_token > report.fencing_token) return;
    const progress = [...before?.progress ?? [], ...report.progress ?? []];
    this.#reports.set(report.session_id, {
      ...report,
      ...(progress.length > 0 ? { progress: progress.slice(-50) } : {}),
    });
  }

  /** Adds a line that tells what a slow start is doing. */
  addProgress(sessionId: string, line: string): void {
    const report = this.#reports.get(sessionId);
    if (!report || report.status !== "starting") return;
    this.put({ ...report, progress: [line.slice(0, 500).toWellFormed()] });
  }

  /** What is to be said now: every session that is held, and of the ends as many as one request carries. */
  snapshot(): readonly Report[] {
    let room = MAX_TEXT;
    return [...this.#reports.values()].filter((report) => {
      if (!isFinal(report)) return true;
      const fits = room > 0;
      room -= measureText(report);
      return fits;
    });
  }

  /** Sessions whose end is still to be said. */
  get endedIds(): readonly string[] {
    return [...this.#reports.values()].filter(isFinal).map(({ session_id }) =>
      session_id
    );
  }

  /** How much there is to say. */
  get size(): number {
    return this.#reports.size;
  }

  /**
   * Takes the answers to what was sent. What has changed since then stays to be sent.
   *
   * @returns The sessions whose lease is lost.
   */
  settle(
    sent: readonly Report[],
    results: readonly ReportResult[],
  ): readonly string[] {
    const refused = new Set(
      results.filter(({ result }) => result === "lease_lost").map((
        { session_id },
      ) => session_id),
    );
    const lost: string[] = [];
    for (const report of sent) {
      const { session_id, fencing_token } = report;
      const now = this.#reports.get(session_id);
      // Claimed again since it was sent: the answer is about the old lease.
      if (now?.fencing_token !== fencing_token) continue;
      if (refused.has(session_id)) {
        this.#reports.delete(session_id);
        lost.push(session_id);
      } else if (now === report) this.#acknowledge(now);
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
