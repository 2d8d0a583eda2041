import { z } from "zod";
import type { GridClient } from "../../client/client.ts";
import { toMessage } from "../../core/log.ts";
import { type Command, defineCommand } from "../command.ts";
import { connectClient } from "../config.ts";
import { UsageError } from "../exit.ts";
import { words } from "../options/argument_types.ts";
import { flag } from "../options/option_types.ts";
import { clientOptions } from "../options/shared_options.ts";
import type { Output } from "../output.ts";
import type { WaitedSession } from "./wait.ts";

/** Number of sessions that are ended concurrently. */
const CONCURRENCY = 10;

/** Number of sessions per page; all pages are read. */
const PAGE = 500;

/** `browsergrid session stop`. */
export const sessionStopCommand: Command = defineCommand({
  name: "stop",
  description: "End sessions",
  arguments: { session: words("ids") },
  options: () =>
    z.object({
      ...clientOptions(),
      all: flag("--all", "every live session that the key may end"),
      force: flag("--force", "end the browser without asking it to close"),
    }),
  examples: [
    "session stop SESSION",
    "session stop SESSION OTHER_SESSION --force",
    "session stop --all",
  ],
  async run({ session: ids, ...options }, { output }) {
    if (ids.length === 0 && !options.all || ids.length > 0 && options.all) {
      throw new UsageError(
        "Cannot stop sessions: there are no ids, expected ids or --all",
      );
    }
    const client = await connectClient(options, output);
    const stopped = options.all ? await listLiveIds(client) : [...new Set(ids)];
    await stopAll(client, stopped, options, output);
  },
});

interface StopOptions {
  readonly json?: boolean | undefined;
  readonly force?: boolean | undefined;
  readonly all?: boolean | undefined;
}

/** Ends all sessions, even if some fail. @throws {Error} If one failed. */
async function stopAll(
  client: GridClient,
  ids: readonly string[],
  { json, force, all }: StopOptions,
  output: Output,
): Promise<void> {
  const stopped: WaitedSession[] = [];
  const failures: unknown[] = [];
  const waiting = [...ids];
  async function stopNext(): Promise<void> {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
      try {
        const session = await client.stopSession(id, { force });
        stopped.push(session);
        if (!json) output.print(`Session ${id} ${renderStatus(session)}`);
      } catch (error) {
        failures.push(error);
        if (ids.length > 1) output.error(`error: ${toMessage(error)}`);
      }
    }
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, stopNext));
  if (ids.length === 1 && failures.length > 0) throw failures[0];
  if (json) output.json(ids.length === 1 && !all ? stopped[0] : stopped);
  else if (ids.length === 0) output.progress("No session to end");
  if (failures.length > 0) {
    throw new Error(
      `Cannot end ${failures.length} of ${ids.length} sessions: see above`,
    );
  }
}

async function listLiveIds(client: GridClient): Promise<readonly string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  for (;;) {
    const page = await client.listSessions({
      status: "pending,starting,running",
      limit: PAGE,
      cursor,
    });
    ids.push(...page.items.map(({ id }) => id));
    if (!page.next_cursor) return ids;
    cursor = page.next_cursor;
  }
}

/** Returns the state of a stopped session. Its worker reports the end after the browser has closed. */
function renderStatus({ status, ended_at }: WaitedSession): string {
  return ended_at === null ? `is ${status}, ending` : `is ${status}`;
}
