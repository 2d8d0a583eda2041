/** The npm packages of which the bundle contains code. @module */
import { dirname, join } from "node:path";
import { z } from "zod";
import { bundleWithSources } from "../bundle.ts";
import { DASHBOARD_ENTRY } from "../dashboard.ts";
import { ROOT } from "./project.ts";

/** Path of a module of a package in Deno's cache: host of the registry, name, version. */
const MODULE = /\/npm\/[^/]+\/((?:@[^/]+\/)?[^/]+)\/([^/]+)\//;

/** Folder of packages that were copied into the published files of another package. */
const COPIED = "node_modules";

/** An npm package. */
export interface NpmPackage {
  readonly name: string;
  readonly version: string;
  /** Licence as an SPDX expression, or as the package states it. */
  readonly license: string;
  /** As the package states it; empty if it states none. */
  readonly author: string;
  /** Its folder in the cache. */
  readonly folder: string;
  /** Checksum of the published file, as in `deno.lock`: `sha512-` and base64. */
  readonly integrity: string;
  /** `NAME@VERSION` of the packages that it may import. */
  readonly dependencies: readonly string[];
}

/** Import of a module of a package: its name. */
const IMPORT = /^npm:\/?((?:@[^/]+\/)?[^/@]+)/;

const graphSchema = z.object({
  modules: z.array(z.object({
    specifier: z.string(),
    dependencies: z.array(z.object({
      code: z.object({ specifier: z.string().optional() }).optional(),
    })).default([]),
  })),
  npmPackages: z.record(
    z.string(),
    z.object({
      name: z.string(),
      version: z.string(),
      dependencies: z.array(z.string()),
      localPath: z.string(),
    }),
  ),
});

/** Modules and packages of `deno info`. */
type Graph = z.infer<typeof graphSchema>;

const lockSchema = z.object({
  npm: z.record(z.string(), z.object({ integrity: z.string() })),
});

/** A licence or an author, as a name or, in older packages, as an object. */
const statedSchema = z.union([
  z.string(),
  z.object({ type: z.string() }).transform(({ type }) => type),
  z.object({ name: z.string() }).transform(({ name }) => name),
]).optional().catch(undefined);

const manifestSchema = z.object({
  license: statedSchema,
  licenses: z.array(statedSchema).catch([]),
  author: statedSchema,
});

/** Lists the packages of which the bundle contains code, by name. @throws {Error} If a module's package is unknown. */
export async function listBundledPackages(): Promise<readonly NpmPackage[]> {
  const [program, dashboard, sources] = await Promise.all([
    readGraph("main.ts"),
    readGraph(DASHBOARD_ENTRY),
    bundleWithSources(),
  ]);
  const installed = await listInstalled({
    ...program.npmPackages,
    ...dashboard.npmPackages,
  });
  const found = findDashboardPackages(dashboard, installed);
  for (const source of sources) {
    const [, name = "", version = ""] = MODULE.exec(source) ?? [];
    if (name === "" || name.startsWith(COPIED)) continue;
    const versions = installed.filter((each) => each.name === name);
    const exact = versions.find((each) => each.version === version);
    // The source of a package that was itself bundled has a path without a version.
    const [only, ...others] = versions;
    const chosen = exact ?? (others.length === 0 ? only : undefined);
    if (chosen === undefined) {
      throw new Error(
        `Cannot find the package of ${source}, expected one of deno.lock`,
      );
    }
    found.add(toKey(chosen));
  }
  return installed.filter((each) => found.has(toKey(each)));
}

/** Returns `NAME@VERSION`. */
export function toKey(
  { name, version }: Pick<NpmPackage, "name" | "version">,
): string {
  return `${name}@${version}`;
}

/**
 * Returns `NAME@VERSION` of the packages of the dashboard, which are a text in the bundle: those that its modules import,
 * and their dependencies.
 */
function findDashboardPackages(
  { modules }: Graph,
  installed: readonly NpmPackage[],
): Set<string> {
  const folder = dirname(DASHBOARD_ENTRY);
  const imported = modules.filter(({ specifier }) => specifier.includes(folder))
    .flatMap(({ dependencies }) => dependencies)
    .map(({ code }) => IMPORT.exec(code?.specifier ?? "")?.[1]);
  const found = new Set(
    installed.filter(({ name }) => imported.includes(name)).map(toKey),
  );
  for (const key of found) {
    const each = installed.find((one) => toKey(one) === key);
    for (const needed of each?.dependencies ?? []) found.add(needed);
  }
  return found;
}

async function readGraph(entry: string): Promise<Graph> {
  const { stdout, success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", entry],
    cwd: ROOT,
  }).output();
  const decoder = new TextDecoder();
  if (success) return graphSchema.parse(JSON.parse(decoder.decode(stdout)));
  throw new Error(`Cannot list the packages: ${decoder.decode(stderr)}`);
}

async function listInstalled(
  npmPackages: Graph["npmPackages"],
): Promise<readonly NpmPackage[]> {
  const lock = await Deno.readTextFile(join(ROOT, "deno.lock"));
  const { npm } = lockSchema.parse(JSON.parse(lock));
  const packages = new Map<string, Promise<NpmPackage>>();
  for (const [id, each] of Object.entries(npmPackages)) {
    const { name, version, localPath: folder } = each;
    packages.set(
      toKey(each),
      readManifest(folder).then((manifest) => ({
        ...manifest,
        ...{ name, version, folder },
        integrity: npm[id]?.integrity ?? "",
        dependencies: each.dependencies.map(withoutPeers),
      })),
    );
  }
  const all = await Promise.all(packages.values());
  return all.sort((one, other) => toKey(one) < toKey(other) ? -1 : 1);
}

async function readManifest(
  folder: string,
): Promise<Pick<NpmPackage, "license" | "author">> {
  const path = join(folder, "package.json");
  const text = await Deno.readTextFile(path).catch(() => "{}");
  const { license, licenses, author = "" } = manifestSchema.parse(
    JSON.parse(text),
  );
  const stated = license ?? licenses.filter(Boolean).join(" OR ");
  return { license: stated, author };
}

/** Returns a package's id without the versions of its peers: `ws@8.0.0_x@1.0.0`. */
function withoutPeers(id: string): string {
  return id.replace(/^(@?[^@]+@[^_]+)_.*$/, "$1");
}
