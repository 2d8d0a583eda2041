import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { hasAdminKey } from "../../apps/keys/manager.ts";
import { toMessage } from "../../core/log.ts";
import { isLoopback } from "../../core/network.ts";
import type { CheckResult } from "../../core/provider.ts";
import type { LoadedSettings, Settings } from "../../core/settings.ts";
import { checkWithin, type Finding } from "./result.ts";
import { isThere, openExisting } from "../options/database_flags.ts";

/** Longest wait for one look at this machine. */
const HOST_MS = 5_000;

/** Space left on the disk: below the first somebody should know, below the second it fails. */
const DISK_WARN_BYTES = 1_000_000_000;
const DISK_FAIL_BYTES = 100_000_000;

/** The settings as they were read: what is not known, and what is not as by default. */
export function checkSettings(
  { warnings, origins }: LoadedSettings,
): readonly CheckResult[] {
  const changed = Object.values(origins).filter((from) => from !== "default");
  return [
    {
      name: "settings",
      status: "ok",
      detail: changed.length === 0
        ? "All are at their defaults"
        : `${changed.length} given, the others at their defaults: "browsergrid settings --values"`,
    },
    ...warnings.map((detail) =>
      ({ name: "settings", status: "warn", detail }) as const
    ),
  ];
}

/** This machine: folder, disk, port and key. */
export function checkHost(
  settings: Settings,
): Promise<readonly CheckResult[]> {
  return Promise.all([
    checkWithin(HOST_MS, "data folder", () => checkFolder(settings)),
    checkWithin(HOST_MS, "disk", () => checkDisk(settings)),
    checkWithin(HOST_MS, "port", () => checkPort(settings)),
    checkWithin(HOST_MS, "key", () => checkKey(settings)),
  ]);
}

async function checkFolder({ data_dir }: Settings): Promise<Finding> {
  await Deno.mkdir(data_dir, { recursive: true });
  await Deno.remove(await Deno.makeTempFile({ dir: data_dir }));
  return `${data_dir} may be written`;
}

async function checkDisk({ data_dir }: Settings): Promise<Finding> {
  const folder = await nearest(data_dir);
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const detail = `${(free / 1e9).toFixed(1)} GB free at ${data_dir}`;
  if (free >= DISK_WARN_BYTES) return detail;
  return {
    status: free < DISK_FAIL_BYTES ? "fail" : "warn",
    detail:
      `${detail}: browsers and the database need more, make room or give another --data-dir`,
  };
}

/** The folder itself, or the first above it that is there. */
async function nearest(folder: string): Promise<string> {
  const above = dirname(folder);
  return above === folder || await isThere(folder) ? folder : nearest(above);
}

async function checkPort({ host, port }: Settings): Promise<Finding> {
  try {
    Deno.listen({ hostname: host, port }).close();
    return port === 0 ? "0: serve takes a free one" : `${host}:${port} is free`;
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) {
      return {
        status: "fail",
        detail:
          `Cannot listen on ${host}:${port}: give another --host or --port (${
            toMessage(error)
          })`,
      };
    }
    const isGrid = await answersAsGrid(`http://${host}:${port}`);
    return isGrid ? `${host}:${port} is used by a running Browsergrid` : {
      status: "warn",
      detail:
        `${host}:${port} is used by another program: give another --port, or end it`,
    };
  }
}

/** Whether a Browsergrid answers there. */
async function answersAsGrid(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/health`, {
      signal: AbortSignal.timeout(2_000),
    });
    const text = await response.text();
    return response.ok && text.includes("status");
  } catch {
    return false;
  }
}

async function checkKey(settings: Settings): Promise<Finding> {
  const { host, api_key } = settings;
  if (api_key !== undefined) return "BROWSERGRID_API_KEY is set";
  if (await hasKeyInDatabase(settings)) {
    return "The database has the key of an admin";
  }
  return isLoopback(host)
    ? "None is set: whoever is on this machine may use the grid"
    : {
      status: "fail",
      detail:
        `There is none, and ${host} can be reached from elsewhere: set BROWSERGRID_API_KEY, or make one by "browsergrid key create admin --role admin --direct"`,
    };
}

/** False also where the database is not there yet, or does not answer: another look tells of that. */
async function hasKeyInDatabase(settings: Settings): Promise<boolean> {
  try {
    using db = await openExisting(settings);
    return await hasAdminKey(db);
  } catch {
    return false;
  }
}
