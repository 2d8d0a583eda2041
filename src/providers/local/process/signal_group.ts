import process from "node:process";
import { createChildEnvironment } from "../../kit/child_environment.ts";

/** Sends a signal to the processes of a group. A group that has ended is no error. */
export function signalGroup(pid: number, signal: "SIGTERM" | "SIGKILL"): void {
  if (Deno.build.os === "windows") {
    new Deno.Command("taskkill", {
      args: ["/PID", String(pid), "/T", "/F"],
      clearEnv: true,
      env: createChildEnvironment(),
      stdout: "null",
      stderr: "null",
    }).outputSync();
    return;
  }
  try {
    process.kill(-pid, signal);
  } catch {
    // The group has ended.
  }
}

/** Reports whether the id of a group is in use, possibly by processes that have ended and were not reaped. */
export function groupExists(pid: number): boolean {
  try {
    return process.kill(Deno.build.os === "windows" ? pid : -pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
