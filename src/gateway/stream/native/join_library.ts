import { fileURLToPath } from "node:url";
import { createLogger } from "../../../core/log.ts";

const log = createLogger("gateway", "native_join");

/** `VERSION` of `join.c`: a library that was built from other source is not used. */
const VERSION = 2;

const SYMBOLS = {
  join_version: { parameters: [], result: "i32" },
  join_open: { parameters: ["pointer"], result: "i32" },
  join_close: { parameters: ["pointer"], result: "void" },
  join_run: { parameters: ["pointer"], result: "void", nonblocking: true },
  join_wait: { parameters: ["pointer"], result: "void", nonblocking: true },
  join_stop: { parameters: ["pointer"], result: "void" },
  join_add: { parameters: ["pointer", "pointer"], result: "void" },
  join_command: { parameters: ["pointer", "pointer", "i32"], result: "void" },
  join_send: { parameters: ["i32", "buffer", "i32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** The functions of `join.c`. */
export type JoinLibrary = Deno.DynamicLibrary<typeof SYMBOLS>;

/** Path of the library that `deno task native` builds for this machine. */
export const LIBRARY_PATH: string = fileURLToPath(
  new URL(`join_${Deno.build.arch}.so`, import.meta.url),
);

/** Opens the library. Undefined if it is not built, not permitted, or not for this system. */
export function openJoinLibrary(path: string): JoinLibrary | undefined {
  if (Deno.build.os !== "linux" || !isPermitted(path)) return undefined;
  try {
    Deno.statSync(path);
    const library = Deno.dlopen(path, SYMBOLS);
    if (library.symbols.join_version() === VERSION) return library;
    library.close();
    log.warn("Native join is of another version: run `deno task native`");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) log.debug("No native join");
    else log.warn("Native join cannot be loaded: {error}", { error });
  }
  return undefined;
}

/** Reports whether the library may be loaded, without a prompt. */
function isPermitted(path: string): boolean {
  return (["ffi", "read"] as const).every((name) =>
    Deno.permissions.querySync({ name, path }).state === "granted"
  );
}
