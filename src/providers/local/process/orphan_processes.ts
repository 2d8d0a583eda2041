import { join } from "node:path";
import { createChildEnvironment } from "../../kit/child_environment.ts";
import { BOX_MARKER } from "../sandbox/box_command.ts";
import { type ProcessIdentity, readStartTime } from "./process_identity.ts";
import { readProcessStat } from "./process_stat.ts";

/** Option after which X servers ignore the rest of their command line. The session's folder follows it. */
export const OWNER_OPTION = "-I";

/** Program that makes itself the first process of a new group, then becomes the program that its arguments name. */
export const SETSID = "/usr/bin/setsid";

/** Returns the browser option that contains the session's folder. */
export function renderProfileOption(folder: string): string {
  return `--user-data-dir=${join(folder, "profile")}`;
}

/**
 * Finds the process groups of the session in `folder` by their command lines. Not on Windows.
 *
 * They may be unrecorded, because a worker may be killed before it writes the record, and a browser's first process may
 * die before the others.
 */
export async function findProcessGroups(
  folder: string,
): Promise<readonly ProcessIdentity[]> {
  const groups = new Set<number>();
  for await (const { group, line } of readCommandLines()) {
    // It still belongs to the group of the process that started it. A later sweep finds it as a browser.
    if (line.startsWith(` ${SETSID} `)) continue;
    if (namesFolder(line, folder) && group > 1) groups.add(group);
  }
  return await Promise.all(
    [...groups].map(async (pid) => ({
      pid,
      start_mark: await readStartTime(pid) ?? "",
    })),
  );
}

interface CommandLine {
  readonly group: number;
  /** Arguments with a blank before each one and after the last. */
  readonly line: string;
}

function namesFolder(line: string, folder: string): boolean {
  return line.includes(` ${renderProfileOption(folder)} `) ||
    line.includes(` ${OWNER_OPTION} ${folder} `) ||
    line.includes(` ${BOX_MARKER} ${folder} `);
}

async function* readCommandLines(): AsyncGenerator<CommandLine> {
  if (Deno.build.os === "windows") return;
  if (Deno.build.os === "linux") yield* readLinuxCommandLines();
  else yield* readUnixCommandLines();
}

async function* readLinuxCommandLines(): AsyncGenerator<CommandLine> {
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const text = await Deno.readTextFile(`/proc/${name}/cmdline`)
      .catch(() => "");
    if (text === "") continue;
    const stat = readProcessStat(Number(name));
    if (!stat) continue;
    yield { group: stat.group, line: ` ${text.replaceAll("\0", " ")} ` };
  }
}

async function* readUnixCommandLines(): AsyncGenerator<CommandLine> {
  const { stdout } = await new Deno.Command("ps", {
    args: ["-axww", "-o", "pgid=,args="],
    clearEnv: true,
    env: createChildEnvironment(),
    stderr: "null",
  }).output();
  for (const row of new TextDecoder().decode(stdout).split("\n")) {
    const [, group, args] = /^\s*(\d+)\s+(.*)$/.exec(row) ?? [];
    if (group !== undefined) yield { group: Number(group), line: ` ${args} ` };
  }
}
