import { Command } from "@commander-js/extra-typings";
import type { GridClient } from "../../client/client.ts";
import { toMessage } from "../../core/log.ts";
import {
  type ClientFlags,
  withClientOptions,
} from "../options/client_flags.ts";
import { clientFrom } from "../config.ts";
import { examples, UsageError } from "../help.ts";
import type { Output } from "../output.ts";
import type { Session } from "./wait.ts";

/** Number of sessions that are ended concurrently. */
const AT_ONCE = 10;

/** Number of sessions per page; all pages are read. */
const PAGE = 500;

interface StopFlags extends ClientFlags {
  readonly force?: boolean;
  readonly all?: boolean;
}

/** `browsergrid session stop`. */
export function sessionStopCommand(output: Output): Command {
  const command = withClientOptions(new Command("stop"))
    .description("End sessions")
    .argument("[session...]", "ids")
    .option("--all", "every live session that the key may end")
    .option("--force", "end the browser without asking it to close")
    .addHelpText(
      "after",
      examples([
        "session stop SESSION",
        "session stop SESSION OTHER_SESSION --force",
        "session stop --all",
      ]),
    );
  command.action(async (ids, flags: StopFlags) => {
    if (ids.length === 0 && !flags.all || ids.length > 0 && flags.all) {
      throw new UsageError(
        "Cannot stop sessions: there are no ids, expected ids or --all",
      );
    }
    const client = await clientFrom(flags, output);
    const doomed = flags.all ? await liveIds(client) : [...new Set(ids)];
    await stopAll(client, doomed, flags, output);
  });
  return command as unknown as Command; // Drops the types of its arguments.
}

/** Ends all sessions, even if some fail. @throws {Error} If one failed. */
async function stopAll(
  client: GridClient,
  ids: readonly string[],
  { json, force, all }: StopFlags,
  output: Output,
): Promise<void> {
  const stopped: Session[] = [];
  const failures: unknown[] = [];
  const waiting = [...ids];
  async function stopNext(): Promise<void> {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
      try {
        const session = await client.stopSession(id, { force });
        stopped.push(session);
        if (!json) output.print(`Session ${id} ${endOf(session)}`);
      } catch (error) {
        failures.push(error);
        if (ids.length > 1) output.error(`error: ${toMessage(error)}`);
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, stopNext));
  if (ids.length === 1 && failures.length > 0) throw failures[0];
  if (json) output.json(ids.length === 1 && !all ? stopped[0] : stopped);
  else if (ids.length === 0) output.progress("No session to end");
  if (failures.length > 0) {
    throw new Error(
      `Cannot end ${failures.length} of ${ids.length} sessions: see above`,
    );
  }
}

async function liveIds(client: GridClient): Promise<readonly string[]> {
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
function endOf({ status, ended_at }: Session): string {
  return ended_at === null ? `is ${status}, ending` : `is ${status}`;
}
