/**
 * Helm's chart, rendered by a program with the template engine and the functions of Helm. It is built once.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { z } from "zod";

const ROOT = join(import.meta.dirname ?? "", "../../..");

/** Folder of the chart. */
export const CHART: string = join(ROOT, "deploy/helm/browsergrid");

const SOURCES = join(import.meta.dirname ?? "", "renderer");

const CACHE = join(ROOT, ".cache/helm");

/** Folder of Go packages of Debian. */
const PACKAGES = "/usr/share/gocode";

/** Packages that the renderer imports. */
const IMPORTS = [
  "github.com/Masterminds/sprig",
  "github.com/xeipuuv/gojsonschema",
  "sigs.k8s.io/yaml",
];

/** Why charts cannot be rendered here; undefined if they can. */
export const helmMissing: string | undefined = await reason();

async function reason(): Promise<string | undefined> {
  try {
    await new Deno.Command("go", { args: ["version"] }).output();
  } catch {
    return "go is not installed";
  }
  for (const name of IMPORTS) {
    const isThere = await Deno.stat(join(PACKAGES, "src", name))
      .then(() => true, () => false);
    if (!isThere) return `Go's package ${name} is not installed`;
  }
}

/** A test of the chart. Where it cannot be rendered, it is skipped and tells why. */
export function chartTest(name: string, fn: () => Promise<void>): void {
  if (helmMissing !== undefined) {
    // deno-lint-ignore no-console -- the reason of a skipped test is its result
    console.log(`skipped: ${name}: ${helmMissing}`);
  }
  Deno.test({ name, fn, ignore: helmMissing !== undefined });
}

const manifestSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string() }),
});

/** An object of the cluster, as the chart renders it. */
export type Manifest = z.infer<typeof manifestSchema>;

/** Parses an object of the cluster. */
export function parseManifest(value: unknown): Manifest {
  return manifestSchema.parse(value);
}

/** A rendered chart. */
export interface RenderedChart {
  /** Text of all objects. */
  readonly text: string;
  readonly manifests: readonly Manifest[];
  readonly notes: string;
}

/** Renders the chart as release `grid` in namespace `grids`. @throws {Error} With the message of the renderer. */
export async function renderChart(values: object): Promise<RenderedChart> {
  const program = await (building ??= buildRenderer());
  const child = new Deno.Command(program, {
    args: [CHART],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(
    new TextEncoder().encode(
      JSON.stringify({ release: "grid", namespace: "grids", values }),
    ),
  );
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(decoder.decode(stderr).trim());
  const { "NOTES.txt": notes = "", ...files } = z.record(
    z.string(),
    z.string(),
  ).parse(JSON.parse(decoder.decode(stdout)));
  return {
    notes,
    text: Object.values(files).join("\n---\n"),
    manifests: Object.values(files).flatMap(parseManifests),
  };
}

function parseManifests(text: string): readonly Manifest[] {
  return parseAllDocuments(text).flatMap((document) => {
    const [error] = document.errors;
    if (error) throw error;
    const value: unknown = document.toJS();
    return value === null || value === undefined ? [] : [parseManifest(value)];
  });
}

let building: Promise<string> | undefined;

/** Builds the renderer, unless its sources have not changed, and returns its path. */
async function buildRenderer(): Promise<string> {
  const source = await Deno.readTextFile(join(SOURCES, "main.go"));
  const hash = createHash("sha256").update(source).digest("hex").slice(0, 12);
  const program = join(CACHE, `renderer-${hash}`);
  if (await Deno.stat(program).then(() => true, () => false)) return program;
  await Deno.mkdir(CACHE, { recursive: true });
  const part = `${program}.${crypto.randomUUID()}`;
  const { success, stderr } = await new Deno.Command("go", {
    args: ["build", "-o", part, "."],
    cwd: SOURCES,
    env: {
      GO111MODULE: "off",
      GOPATH: PACKAGES,
      GOCACHE: join(CACHE, "build"),
      GOFLAGS: "",
      CGO_ENABLED: "0",
    },
  }).output();
  if (!success) {
    throw new Error(
      `Cannot build the renderer: ${new TextDecoder().decode(stderr)}`,
    );
  }
  await Deno.rename(part, program);
  return program;
}
