import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  type ProcessIdentity,
  readStartTime,
} from "../../src/providers/local/process/process_identity.ts";

/** The first process of a group, and its exit. */
export interface Group {
  readonly leader: ProcessIdentity;
  /** Exit code and signal. */
  readonly exited: Promise<unknown[]>;
  /** Resolves when no process can write to its output. */
  readonly closed: Promise<unknown>;
}

/** Starts a shell as the first process of a new group, and waits for its first output. */
export async function startGroup(script: string): Promise<Group> {
  const child = spawn("sh", ["-c", script], {
    detached: true,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const exited = once(child, "exit");
  const closed = once(child, "close");
  await once(child.stdout, "data");
  const pid = child.pid ?? 0;
  const leader = { pid, start_mark: await readStartTime(pid) ?? "" };
  return { leader, exited, closed };
}
