import type { ContainerInfo } from "dockerode";
import { join } from "node:path";
import { shortFolderName } from "../../src/providers/kit/short_folder.ts";
import { docker } from "./docker.ts";

/** Something that a grid's browser put on this machine. */
export interface Trace {
  /** The session that it belongs to, if that can be told. */
  readonly sessionId: string | undefined;
  /** Description of the trace. */
  readonly text: string;
}

/** Places of traces. */
export interface TraceSources {
  /** Data folders of the grid's workers. */
  readonly workerDirs: readonly string[];
  /** The system's temporary folder, as the grid's processes see it. */
  readonly temporaryDir: string;
  /** Ids of the grid's workers, which containers have as a label. */
  readonly workerIds: readonly string[];
}

/**
 * Finds every browser process, profile folder, temporary folder and container of a grid on this machine, independently
 * of the grid. Linux.
 */
export async function findTraces(sources: TraceSources): Promise<Trace[]> {
  // Processes first: one that ends afterwards removes its folders.
  const processes = await findProcesses(sources);
  const folders = await Promise.all(sources.workerDirs.map(profileFolders));
  return [
    ...processes,
    ...folders.flat(),
    ...await temporaryFolders(sources),
    ...await containers(sources.workerIds),
  ];
}

/** A process of a browser. */
export interface BrowserProcess {
  readonly pid: number;
  readonly commandLine: string;
  readonly workerId: string | undefined;
  readonly sessionId: string | undefined;
}

/** The processes of browsers whose profiles are below one of the folders: each browser's first, and its helpers. */
export async function browserProcesses(
  workerDirs: readonly string[],
): Promise<BrowserProcess[]> {
  const found: BrowserProcess[] = [];
  for await (const { pid, commandLine } of processes()) {
    if (!workerDirs.some((dir) => commandLine.includes(`${dir}/local/`))) {
      continue;
    }
    const [, workerId, sessionId] =
      /\/local\/[^/]+\/([^/]+)\/([^/\s]+)(?:\/profile|\s)/.exec(commandLine) ??
        [];
    found.push({ pid, commandLine, workerId, sessionId });
  }
  return found;
}

/** By their command line, or, as of helpers without one that tells, by their temporary folder. */
async function findProcesses(
  { workerDirs, temporaryDir }: TraceSources,
): Promise<Trace[]> {
  const browsers = await browserProcesses(workerDirs);
  const known = new Set(browsers.map(({ pid }) => pid));
  const found: Trace[] = browsers.map(({ pid, sessionId, commandLine }) => ({
    sessionId,
    text: `process ${pid}: ${commandLine.slice(0, 120)}`,
  }));
  for await (const { pid, commandLine } of processes()) {
    if (known.has(pid)) continue;
    const environment = await readText(`/proc/${pid}/environ`);
    if (!environment.includes(`TMPDIR=${temporaryDir}/browsergrid-`)) continue;
    found.push({
      sessionId: undefined,
      text: `process ${pid}: ${commandLine.slice(0, 120)}`,
    });
  }
  return found;
}

async function* processes() {
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const raw = await readText(`/proc/${name}/cmdline`);
    // Zombies have none.
    if (raw === "") continue;
    yield { pid: Number(name), commandLine: raw.replaceAll("\0", " ").trim() };
  }
}

/** `local/GRID/WORKER/SESSION` below a worker's data folder. */
async function profileFolders(
  dir: string,
): Promise<(Trace & { readonly folder: string })[]> {
  const local = join(dir, "local");
  const found = [];
  for (const grid of await namesIn(local)) {
    for (const worker of await namesIn(join(local, grid))) {
      for (const sessionId of await namesIn(join(local, grid, worker))) {
        const folder = join(local, grid, worker, sessionId);
        found.push({ sessionId, folder, text: `folder ${folder}` });
      }
    }
  }
  return found;
}

/** Each belongs to the session whose profile folder it is named after. */
async function temporaryFolders(
  { workerDirs, temporaryDir }: TraceSources,
): Promise<Trace[]> {
  const profiles = (await Promise.all(workerDirs.map(profileFolders))).flat();
  const owners = new Map(
    profiles.map(({ folder, sessionId }) =>
      [shortFolderName(folder), sessionId] as const
    ),
  );
  const names = await namesIn(temporaryDir);
  return names.map((name) => ({
    sessionId: owners.get(name),
    text: `temporary ${join(temporaryDir, name)}`,
  }));
}

/** Containers that were made for a session by one of the workers; none if there is no engine. */
async function containers(workerIds: readonly string[]): Promise<Trace[]> {
  const found = await Promise.all(workerIds.map(containersOfWorker));
  return found.flat();
}

async function containersOfWorker(workerId: string): Promise<Trace[]> {
  return (await listContainers(workerId)).map(({ Id, State, Labels }) => ({
    sessionId: Labels["browsergrid.session_id"],
    text: `container ${Id.slice(0, 12)} (${State})`,
  }));
}

function listContainers(workerId: string): Promise<ContainerInfo[]> {
  return docker.listContainers({
    all: true,
    filters: { label: [`browsergrid.worker_id=${workerId}`] },
  }).catch(() => []);
}

/** Ends every browser of the sources without asking. What a test that failed has left; no test may count on it. */
export async function endTraces(sources: TraceSources): Promise<void> {
  for (const { pid } of await browserProcesses(sources.workerDirs)) {
    try {
      Deno.kill(pid, "SIGKILL");
    } catch {
      // The process has ended.
    }
  }
  for (const workerId of sources.workerIds) {
    for (const { Id } of await listContainers(workerId)) {
      await docker.getContainer(Id).remove({ force: true }).catch(() => {});
    }
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder)).catch(() => []);
  return entries.map(({ name }) => name);
}

async function readText(path: string): Promise<string> {
  return await Deno.readTextFile(path).catch(() => "");
}
