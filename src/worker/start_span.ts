import type { Clock } from "../async/clock.ts";
import type { ClaimedSession } from "../client/client.ts";
import { noteTrace } from "../core/log.ts";
import type { Tracer } from "../core/trace/tracer.ts";
import type { SessionEnd } from "./report.ts";

/** Dependencies of a {@linkcode StartSpan}. */
export interface StartSpanParts {
  readonly clock: Pick<Clock, "now">;
  readonly tracer?: Tracer | undefined;
}

/** The span of a browser's start, from the claim until the browser runs. */
export class StartSpan {
  readonly #claimed: ClaimedSession;
  readonly #parts: StartSpanParts;
  readonly #startAt: number;
  #isEnded = false;

  constructor(claimed: ClaimedSession, parts: StartSpanParts) {
    this.#claimed = claimed;
    this.#parts = parts;
    this.#startAt = parts.clock.now();
    noteTrace(claimed.id, claimed.traceparent);
  }

  /** Records the span. Only the first call counts. @param end Why there is no browser. */
  end(
    { isWarm = false, end }: {
      readonly isWarm?: boolean;
      readonly end?: SessionEnd;
    },
  ): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    const { clock, tracer } = this.#parts;
    const { id, traceparent, work_pool_id, provider_type, browser } =
      this.#claimed;
    tracer?.record(traceparent, {
      name: "start browser",
      startAt: this.#startAt,
      endAt: clock.now(),
      attributes: {
        "browsergrid.session_id": id,
        "browsergrid.work_pool_id": work_pool_id,
        "browsergrid.provider": provider_type,
        "browsergrid.browser": browser,
        "browsergrid.warm": isWarm,
        "browsergrid.status": end?.status ?? "running",
      },
      ...(end ? { error: end.reason } : {}),
    });
  }
}
