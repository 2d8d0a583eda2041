import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { hasAdminKey } from "../../apps/keys/manager.ts";
import { toMessage } from "../../core/log.ts";
import { isLoopback } from "../../core/network.ts";
import type { CheckResult } from "../../core/provider.ts";
import type { LoadedSettings, Settings } from "../../core/settings.ts";
import { checkWithin, type Finding } from "./result.ts";
import { fileExists, openExisting } from "../database_file.ts";

/** Timeout of each check of this machine. */
const HOST_MS = 5_000;

/** Free space on the disk below which the check warns and fails. */
const DISK_WARN_BYTES = 1_000_000_000;
const DISK_FAIL_BYTES = 100_000_000;

/** Reports unknown settings, and how many differ from their defaults. */
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

/** Checks the data folder, the disk, the port and the key. */
export function checkMachine(
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
  const folder = await findExisting(data_dir);
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const detail = `${(free / 1e9).toFixed(1)} GB free at ${data_dir}`;
  if (free >= DISK_WARN_BYTES) return detail;
  return {
    status: free < DISK_FAIL_BYTES ? "fail" : "warn",
    detail:
      `${detail}: browsers and the database need more, make room or choose another --data-dir`,
  };
}

/** Returns the folder, or the nearest one above it that exists. */
async function findExisting(folder: string): Promise<string> {
  const above = dirname(folder);
  return above === folder || await fileExists(folder)
    ? folder
    : findExisting(above);
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
          `Cannot listen on ${host}:${port}: choose another --host or --port (${
            toMessage(error)
          })`,
      };
    }
    return await isGrid(`http://${host}:${port}`)
      ? `${host}:${port} is used by a running Browsergrid`
      : {
        status: "warn",
        detail:
          `${host}:${port} is used by another program: choose another --port, or end it`,
      };
  }
}

/** Reports whether a Browsergrid responds at `url`. */
async function isGrid(url: string): Promise<boolean> {
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
    ? "None is set: everyone on this machine may use the grid"
    : {
      status: "fail",
      detail:
        `None is set, and ${host} can be reached from other machines: set BROWSERGRID_API_KEY, or create one with "browsergrid key create admin --role admin --direct"`,
    };
}

/** Returns false if the database is missing or does not respond, which another check reports. */
async function hasKeyInDatabase(settings: Settings): Promise<boolean> {
  try {
    using db = await openExisting(settings);
    return await hasAdminKey(db);
  } catch {
    return false;
  }
}
