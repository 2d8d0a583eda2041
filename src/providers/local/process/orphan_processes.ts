import { join } from "node:path";
import { createChildEnvironment } from "../../kit/child_environment.ts";
import { BOX_MARK } from "../sandbox/box_command.ts";
import {
  type ProcessIdentity,
  readProcessStat,
  readStartTime,
} from "./process_group.ts";

/** Option of X servers after which they read no more: what follows tells whose display it is. */
export const OWNER_OPTION = "-I";

/** Option by which a browser tells its folder. */
export function renderProfileOption(folder: string): string {
  return `--user-data-dir=${join(folder, "profile")}`;
}

/**
 * The groups of processes that were started for the session in `folder`, told by their arguments.
 *
 * A worker may be killed before it has recorded what it started, and a browser's first process may die before the
 * others. Not on Windows.
 */
export async function findProcessGroups(
  folder: string,
): Promise<readonly ProcessIdentity[]> {
  const groups = new Set<number>();
  for await (const { group, line } of readCommandLines()) {
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
  /** Arguments with a blank before each and after the last. */
  readonly line: string;
}

function namesFolder(line: string, folder: string): boolean {
  return line.includes(` ${renderProfileOption(folder)} `) ||
    line.includes(` ${OWNER_OPTION} ${folder} `) ||
    line.includes(` ${BOX_MARK} ${folder} `);
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
