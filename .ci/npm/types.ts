/**
 * The declarations of `browsergrid/client` and `browsergrid/plugin`, with those of the libraries that they name, so that
 * they need no other package.
 *
 * @module
 */
import { dirname, join, relative } from "node:path";
import ts from "typescript";

/**
 * Modules whose declarations are not copied. Where they are not installed, types from them are `any`: those of the
 * database and of raw sockets in apps of plugins.
 */
const OPTIONAL = /^(node:|(drizzle-orm|@libsql\/client|ipaddr\.js)(\/|$))/;

/** Folder of the libraries' declarations. */
const LIBRARIES = "libraries";

/** Stands for files that the program imports as text. */
const TEXT_MODULES = `declare module "*.html";
declare module "*.css";
declare module "*.js";
declare module "*.sql";
`;

const OPTIONS: ts.CompilerOptions = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  target: ts.ScriptTarget.ESNext,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  lib: ["lib.esnext.d.ts"],
  types: ["node"],
  resolveJsonModule: true,
  allowImportingTsExtensions: true,
  declaration: true,
  emitDeclarationOnly: true,
  noCheck: true,
};

/** Writes declarations into `folder`: those of `src/a/b.ts` are in `a/b.d.ts`. @param entries Modules that are exported. */
export async function buildTypes(
  folder: string,
  { root, entries }: {
    /** Folder of the project. */
    readonly root: string;
    readonly entries: readonly string[];
  },
): Promise<void> {
  const project = await Deno.makeTempDir({ prefix: "browsergrid-types-" });
  try {
    await installPackages(project, root);
    const source = join(await Deno.realPath(project), "src");
    const modules = entries.map((path) => join(source, "..", path));
    const emitted = emitDeclarations(source, modules);
    await new DeclarationCopies(folder, source, emitted).write(modules);
  } finally {
    await Deno.remove(project, { recursive: true });
  }
}

/** Makes a copy of the sources with a `node_modules`, in which TypeScript finds packages. */
async function installPackages(project: string, root: string): Promise<void> {
  for (const name of ["deno.json", "deno.lock", "src", "migrations"]) {
    await run("cp", ["-R", join(root, name), project], project);
  }
  // Declarations are ECMAScript modules, and see those of libraries.
  await Deno.writeTextFile(join(project, "package.json"), '{"type":"module"}');
  const install = ["install", "--quiet", "--node-modules-dir=auto"];
  await run(Deno.execPath(), install, project);
  const types = await run(Deno.execPath(), ["types"], project);
  await Deno.writeTextFile(join(project, "src/deno.d.ts"), types);
  await Deno.writeTextFile(join(project, "src/text.d.ts"), TEXT_MODULES);
}

async function run(
  command: string,
  args: readonly string[],
  cwd: string,
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  if (!success) {
    throw new Error(`Cannot run ${command}: ${decoder.decode(stderr)}`);
  }
  return decoder.decode(stdout);
}

/** Returns the declarations of the modules, and of those that they import, by their paths. */
function emitDeclarations(
  source: string,
  modules: readonly string[],
): ReadonlyMap<string, string> {
  const program = ts.createProgram(
    [...modules, join(source, "deno.d.ts"), join(source, "text.d.ts")],
    { ...OPTIONS, typeRoots: [join(source, "../node_modules/@types")] },
  );
  const emitted = new Map<string, string>();
  const { diagnostics } = program.emit(undefined, (path, text) => {
    emitted.set(path, text);
  });
  const [first] = diagnostics;
  if (first) {
    throw new Error(ts.flattenDiagnosticMessageText(first.messageText, "\n"));
  }
  return emitted;
}

/** Copies declarations, and those of the libraries that they import. */
class DeclarationCopies {
  readonly #folder: string;
  readonly #source: string;
  readonly #emitted: ReadonlyMap<string, string>;

  constructor(
    folder: string,
    source: string,
    emitted: ReadonlyMap<string, string>,
  ) {
    this.#folder = folder;
    this.#source = source;
    this.#emitted = emitted;
  }

  /** Writes the declarations of the modules, and every one that they need. */
  async write(modules: readonly string[]): Promise<void> {
    const pending = modules.map((path) => path.replace(/\.ts$/, ".d.ts"));
    const copied = new Set<string>();
    for (let path; (path = pending.pop()) !== undefined;) {
      if (copied.has(path)) continue;
      copied.add(path);
      const { text, imported } = this.#relink(path, await this.#read(path));
      pending.push(...imported);
      await this.#copy(path, text);
    }
  }

  async #read(path: string): Promise<string> {
    return this.#emitted.get(path) ?? await Deno.readTextFile(path);
  }

  async #copy(path: string, text: string): Promise<void> {
    const target = this.#target(path);
    await Deno.mkdir(dirname(target), { recursive: true });
    await Deno.writeTextFile(target, text);
    const library = parseLibraryPath(path);
    if (library === undefined) return;
    // The kind of its modules.
    const { type = "commonjs" } = JSON.parse(
      await Deno.readTextFile(join(library.home, "package.json")),
    );
    await Deno.writeTextFile(
      join(this.#folder, LIBRARIES, library.name, "package.json"),
      JSON.stringify({ type }),
    );
  }

  /** Returns the text with imports that lead to copies, and the files that it imports. */
  #relink(path: string, original: string) {
    const imported: string[] = [];
    let text = "";
    let at = 0;
    for (const { name, start } of listImports(path, original)) {
      if (OPTIONAL.test(name)) {
        const line = original.lastIndexOf("\n", start) + 1;
        text += `${original.slice(at, line)}// @ts-ignore: may be missing\n`;
        at = line;
      } else {
        const file = this.#resolve(name, path);
        imported.push(file);
        text += original.slice(at, start) + this.#link(path, name, file);
        at = start + name.length;
      }
    }
    return { text: text + original.slice(at), imported };
  }

  /** Returns the declaration that a module imports by a name. */
  #resolve(name: string, from: string): string {
    const host: ts.ModuleResolutionHost = {
      ...ts.sys,
      fileExists: (path) => this.#emitted.has(path) || ts.sys.fileExists(path),
    };
    const mode = ts.getImpliedNodeFormatForFile(from, undefined, host, OPTIONS);
    const { resolvedModule } = ts.resolveModuleName(
      name,
      from,
      OPTIONS,
      host,
      undefined,
      undefined,
      mode,
    );
    const file = resolvedModule?.resolvedFileName;
    if (file === undefined) {
      throw new Error(`Cannot find the declaration of ${name} in ${from}`);
    }
    return file.startsWith(`${this.#source}/`)
      ? file.replace(/(\.d)?\.ts$/, ".d.ts")
      : file;
  }

  /** Returns the name by which the copy of `from` imports the copy of `file`. */
  #link(from: string, name: string, file: string): string {
    const isOwn = parseLibraryPath(from) === undefined;
    if (name.startsWith(".")) {
      return isOwn ? name.replace(/\.ts$/, ".js") : name;
    }
    const path = relative(dirname(this.#target(from)), this.#target(file));
    const module = path.replace(/\.d\.([cm]?)ts$/, ".$1js");
    return module.startsWith(".") ? module : `./${module}`;
  }

  /** Returns the path of the copy of a declaration. */
  #target(path: string): string {
    const library = parseLibraryPath(path);
    return library === undefined
      ? join(this.#folder, relative(this.#source, path))
      : join(this.#folder, LIBRARIES, library.name, library.file);
  }
}

/** Returns the names of the modules that a declaration imports or adds to, and where they are. */
function listImports(path: string, text: string) {
  const found: { readonly name: string; readonly start: number }[] = [];
  const add = (name: ts.Node | undefined) => {
    // After its quotation mark.
    if (name && ts.isStringLiteral(name)) {
      found.push({ name: name.text, start: name.getStart(file) + 1 });
    }
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
      add(node.moduleSpecifier);
    } else if (ts.isModuleDeclaration(node)) add(node.name);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add(node.argument.literal);
    }
    ts.forEachChild(node, visit);
  };
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext);
  visit(file);
  return found;
}

/** Splits the path of a library's file into its package and the rest; undefined for a file of the project. */
function parseLibraryPath(path: string) {
  const [, home, name, file] =
    /^(.*\/node_modules\/((?:@[^/]+\/)?[^/]+))\/(.*)$/.exec(path) ?? [];
  if (home === undefined || name === undefined || file === undefined) {
    return undefined;
  }
  return { home, name, file };
}
