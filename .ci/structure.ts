/**
 * Measures the structure of `src/` and reports what breaks its limits. Run by `deno task lint`.
 *
 * ```text
 * deno run -A .ci/structure.ts            limits only; ends with 1 if one is broken
 * deno run -A .ci/structure.ts --report   each measure with its limit
 * ```
 *
 * @module
 */
import { dirname, join, relative } from "node:path";
import ts from "typescript";

/** Limits of one file, function and folder, in lines and files, and of the whole tree. */
const LIMITS = {
  fileLines: 350,
  fileLinesP90: 220,
  functionLines: 100,
  coreFiles: 20,
  folderFiles: 22,
  casts: 10,
  circles: 0,
  chain: 20,
  wholeChain: 33,
  documented: 0.95,
  testLines: 350,
} as const;

const ROOT = join(import.meta.dirname ?? ".", "..");

/** One source file with what is measured in it. */
interface Measured {
  readonly path: string;
  readonly lines: number;
  readonly functions: readonly {
    readonly name: string;
    readonly lines: number;
  }[];
  /** Lines of `as X`, other than `as const`. */
  readonly casts: readonly number[];
  readonly exports: number;
  readonly documented: number;
  readonly imports: readonly {
    readonly path: string;
    readonly isDynamic: boolean;
  }[];
}

/** A measure, its limit, and where it is broken. */
interface Finding {
  readonly name: string;
  readonly value: number;
  readonly limit: number;
  readonly isBroken: boolean;
  readonly details: readonly string[];
}

const sources = await measureAll(["main.ts", "src"]);
const tests = await measureAll(["tests"]);
const findings = [
  ...measureFiles(sources),
  ...measureImports(sources),
  atMost(
    "longest test file, lines",
    tests.map(({ path, lines }) => [path, lines]),
    LIMITS.testLines,
  ),
];
const broken = findings.filter(({ isBroken }) => isBroken);
for (
  const { name, value, limit, isBroken, details }
    of Deno.args.includes("--report") ? findings : broken
) {
  writeLine(
    `${isBroken ? "BROKEN" : "ok    "} ${name}: ${value} (limit ${limit})`,
  );
  for (const line of isBroken ? details : []) writeLine(`         ${line}`);
}
if (Deno.args.includes("--report")) {
  for (const folder of ["", "cli", "worker"]) writeLine(compareTests(folder));
}
Deno.exit(broken.length > 0 ? 1 : 0);

async function measureAll(
  names: readonly string[],
): Promise<readonly Measured[]> {
  const paths =
    (await Promise.all(names.map((name) => listFiles(join(ROOT, name)))))
      .flat();
  return await Promise.all(paths.sort().map(measure));
}

async function listFiles(path: string): Promise<readonly string[]> {
  if ((await Deno.stat(path)).isFile) return /\.tsx?$/.test(path) ? [path] : [];
  const entries = await Array.fromAsync(Deno.readDir(path));
  const kept = entries.filter(({ name }) => name !== "node_modules");
  return (await Promise.all(
    kept.map(({ name }) => listFiles(join(path, name))),
  )).flat();
}

async function measure(path: string): Promise<Measured> {
  const text = await Deno.readTextFile(path);
  const setParents = true;
  const file = ts.createSourceFile(
    path,
    text,
    ts.ScriptTarget.ESNext,
    setParents,
  );
  const functions: { name: string; lines: number }[] = [];
  const casts: number[] = [];
  const imports: { path: string; isDynamic: boolean }[] = [];
  const lineAt = (position: number) =>
    file.getLineAndCharacterOfPosition(position).line + 1;
  function addImport(
    specifier: ts.Expression | undefined,
    { isDynamic } = { isDynamic: false },
  ): void {
    if (
      !specifier || !ts.isStringLiteral(specifier) ||
      !specifier.text.startsWith(".")
    ) return;
    imports.push({ path: join(dirname(path), specifier.text), isDynamic });
  }
  function visit(node: ts.Node): void {
    if (ts.isFunctionLike(node) && "body" in node && node.body) {
      const name = node.name?.getText() ??
        `function in line ${lineAt(node.getStart())}`;
      functions.push({
        name,
        lines: lineAt(node.end) - lineAt(node.getStart()) + 1,
      });
    }
    if (ts.isAsExpression(node) && node.type.getText() !== "const") {
      casts.push(lineAt(node.getStart()));
    }
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
      addImport(node.moduleSpecifier);
    }
    if (
      ts.isCallExpression(node) &&
      node.expression.kind === ts.SyntaxKind.ImportKeyword
    ) addImport(node.arguments[0], { isDynamic: true });
    ts.forEachChild(node, visit);
  }
  visit(file);
  const exported = file.statements.filter((node) =>
    ts.canHaveModifiers(node) &&
    ts.getModifiers(node)?.some(({ kind }) =>
      kind === ts.SyntaxKind.ExportKeyword
    )
  );
  const documented = exported.filter((node) =>
    ts.getJSDocCommentsAndTags(node).length > 0
  );
  return {
    path: relative(ROOT, path),
    lines: lineAt(text.length) - 1,
    functions,
    casts,
    imports: imports.map((each) => ({
      ...each,
      path: relative(ROOT, each.path),
    })),
    exports: exported.length,
    documented: documented.length,
  };
}

function measureFiles(files: readonly Measured[]): readonly Finding[] {
  const lines = files.map(({ lines }) => lines).sort((one, other) =>
    one - other
  );
  const p90 = lines[Math.floor(lines.length * 0.9)] ?? 0;
  const folders = Map.groupBy(files, ({ path }) => dirname(path));
  const casts = files.flatMap(({ path, casts }) =>
    casts.map((line) => `${path}:${line}`)
  );
  const exported = sum(files.map(({ exports }) => exports));
  const share = sum(files.map(({ documented }) => documented)) / exported;
  return [
    atMost(
      "longest file, lines",
      files.map(({ path, lines }) => [path, lines]),
      LIMITS.fileLines,
    ),
    finding("90th percentile of files, lines", p90, LIMITS.fileLinesP90),
    atMost(
      "longest function, lines",
      files.flatMap(({ path, functions }) =>
        functions.map(({ name, lines }) => [`${path} ${name}`, lines] as const)
      ),
      LIMITS.functionLines,
    ),
    finding(
      "files in core",
      folders.get("src/core")?.length ?? 0,
      LIMITS.coreFiles,
    ),
    atMost(
      "largest folder, files",
      [...folders].map(([path, { length }]) => [path, length]),
      LIMITS.folderFiles,
    ),
    finding("casts", casts.length, LIMITS.casts, casts),
    {
      name: "share of exports with a docstring",
      value: Math.round(share * 1_000) / 1_000,
      limit: LIMITS.documented,
      isBroken: share < LIMITS.documented,
      details: [],
    },
  ];
}

function measureImports(files: readonly Measured[]): readonly Finding[] {
  const graph = new Map(
    files.map(({ path, imports }) => [path, imports.map(({ path }) => path)]),
  );
  const atStart = new Map(
    files.map(({ path, imports }) => [
      path,
      imports.filter(({ isDynamic }) => !isDynamic).map(({ path }) => path),
    ]),
  );
  const circles = findCircles(graph);
  const chain = findLongestChain(atStart, "main.ts");
  const whole = findLongestChain(graph, "main.ts");
  return [
    finding(
      "import circles, types included",
      circles.length,
      LIMITS.circles,
      circles.map((circle) => circle.join(" -> ")),
    ),
    finding(
      "longest import chain from main.ts, types included",
      chain.length,
      LIMITS.chain,
      chain,
    ),
    finding(
      "the same with modules that are loaded later",
      whole.length,
      LIMITS.wholeChain,
      whole,
    ),
  ];
}

/** Returns the groups of files that import each other (Tarjan's strongly connected components). */
function findCircles(
  graph: ReadonlyMap<string, readonly string[]>,
): readonly (readonly string[])[] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const circles: string[][] = [];
  function connect(file: string): void {
    index.set(file, index.size);
    low.set(file, index.get(file) ?? 0);
    stack.push(file);
    for (const next of graph.get(file) ?? []) {
      if (!index.has(next)) connect(next);
      else if (!stack.includes(next)) continue;
      low.set(file, Math.min(low.get(file) ?? 0, low.get(next) ?? 0));
    }
    if (low.get(file) !== index.get(file)) return;
    const circle = stack.splice(stack.indexOf(file));
    if (circle.length > 1) circles.push(circle);
  }
  for (const file of graph.keys()) if (!index.has(file)) connect(file);
  return circles;
}

function findLongestChain(
  graph: ReadonlyMap<string, readonly string[]>,
  start: string,
): readonly string[] {
  const known = new Map<string, readonly string[]>();
  function follow(file: string): readonly string[] {
    const found = known.get(file);
    if (found) return found;
    known.set(file, [file]); // A circle ends here; it is reported as one.
    const longest = (graph.get(file) ?? []).map(follow).reduce<
      readonly string[]
    >((best, each) => each.length > best.length ? each : best, []);
    const chain = [file, ...longest];
    known.set(file, chain);
    return chain;
  }
  return follow(start);
}

function compareTests(folder: string): string {
  const within = (files: readonly Measured[], root: string) =>
    sum(
      files.filter(({ path }) => path.startsWith(join(root, folder))).map((
        { lines },
      ) => lines),
    );
  const [test, source] = [within(tests, "tests"), within(sources, "src")];
  return `test lines per source line ${folder ? `in ${folder}` : "overall"}: ${
    (test / source).toFixed(2)
  }`;
}

function atMost(
  name: string,
  measures: readonly (readonly [string, number])[],
  limit: number,
): Finding {
  const above = measures.filter(([, value]) => value > limit);
  return finding(
    name,
    Math.max(...measures.map(([, value]) => value)),
    limit,
    above.map(([where, value]) => `${value} ${where}`),
  );
}

function finding(
  name: string,
  value: number,
  limit: number,
  details: readonly string[] = [],
): Finding {
  return { name, value, limit, isBroken: value > limit, details };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

function writeLine(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}
