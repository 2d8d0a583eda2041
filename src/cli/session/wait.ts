import type { GridClient } from "../../client/client.ts";
import { systemClock } from "../../async/clock.ts";
import { UsageError } from "../exit.ts";
import type { Output } from "../output.ts";

/** Timeout of `--wait` without a number. */
const WAIT_SECONDS = 60;

/** Pause between two requests for a session that is awaited. */
const POLL_INTERVAL_MS = 300;

/** A session as the server returns it. */
export type WaitedSession = Awaited<ReturnType<GridClient["getSession"]>>;

/** Returns the timeout of `--wait` in seconds. @throws {UsageError} If it is not a number above 0. */
export function parseWait(wait: string | true): number {
  const seconds = wait === true ? WAIT_SECONDS : Number(wait);
  if (seconds > 0) return seconds;
  throw new UsageError(
    `Cannot use --wait "${wait}": expected a number of seconds above 0`,
  );
}

/** Prints the events of a session until it runs. @throws {Error} If it ends before, or does not run in time. */
export async function waitUntilRunning(
  client: GridClient,
  { id, seconds, output }: {
    readonly id: string;
    readonly seconds: number;
    readonly output: Output;
  },
): Promise<WaitedSession> {
  const deadline = systemClock.monotonic() + seconds * 1_000;
  let after = 0;
  for (;;) {
    const { items } = await client.listSessionEvents(id, { after });
    for (const { seq, event, data } of items) {
      output.progress(`${event} ${data.message ?? data.reason ?? ""}`.trim());
      after = seq;
    }
    const session = await client.getSession(id);
    if (session.status === "running") return session;
    if (session.ended_at !== null) {
      throw new Error(
        `Session ${id} is ${session.status}: ${session.status_reason ?? ""}`,
      );
    }
    if (systemClock.monotonic() > deadline) {
      throw new Error(
        `Session ${id} is still ${session.status} after ${seconds} s${
          session.status_reason === null ? "" : `: ${session.status_reason}`
        }; it continues: browsergrid session get ${id}`,
      );
    }
    await systemClock.sleep(POLL_INTERVAL_MS);
  }
}
