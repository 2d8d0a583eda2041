import { pathToFileURL } from "node:url";

/**
 * A module with the tests of several files, so that their common imports are loaded once instead of once per file.
 * Disposal removes it. Run it with `--config`, since it is outside the project.
 */
export interface OneModule extends AsyncDisposable {
  readonly path: string;
}

/** Writes a module that imports `files`, whose paths are absolute. */
export async function oneModule(files: readonly string[]): Promise<OneModule> {
  const path = await Deno.makeTempFile({
    prefix: "browsergrid-",
    suffix: "_test.ts",
  });
  const lines = files.map((file) =>
    `import ${JSON.stringify(pathToFileURL(file).href)};\n`
  );
  await Deno.writeTextFile(path, lines.join(""));
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path),
  };
}
