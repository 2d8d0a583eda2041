/**
 * Stands for `@hono/zod-openapi` in the bundle. The package extends zod when it is loaded. The bundler splits the program,
 * and may load what only imports `z` before the package. Here `z` is a value of this module, so that all that imports it
 * waits for the extension.
 *
 * @module
 */
import { extendZodWithOpenApi, z as original } from "@hono/zod-openapi";

extendZodWithOpenApi(original);

// deno-lint-ignore layers/no-barrel -- it stands for the package
export * from "@hono/zod-openapi";

/** Zod with the extension. */
export const z: typeof original = original;
