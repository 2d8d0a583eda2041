import { findBrowser } from "../../src/providers/local/find_browser.ts";
import { type RunningProgram, startProgram } from "../support/program.ts";

/** A running grid with an embedded worker, and its addresses. */
export interface BenchGrid extends AsyncDisposable {
  readonly server: RunningProgram;
  /** Address of the server, without a path. */
  readonly url: string;
  /** Address of `/v1/connect`; empty without a worker. */
  readonly connectUrl: string;
}

/** Options of {@linkcode startGrid}. */
export interface GridOptions {
  /** Arguments of `serve` in addition to port and data directory. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** True if its memory is measured through its debugger. */
  readonly inspect?: boolean;
  /** First module of a bundle. @default the source */
  readonly bundle?: string;
  /** Words that start an installed program. @default Deno with the source or the bundle */
  readonly command?: readonly string[];
}

/** Returns the path of the installed browser. */
export async function requireBrowser(): Promise<string> {
  const found = await findBrowser(undefined);
  if (!found) throw new Error("Cannot measure: no Chrome or Chromium is here");
  return found.path;
}

/** Starts the real program on a free port with a data directory of its own, which disposal removes. */
export async function startGrid(
  { args = ["--with-worker"], env = {}, ...how }: GridOptions = {},
): Promise<BenchGrid> {
  await using stack = new AsyncDisposableStack();
  const dataDir = await Deno.makeTempDir({ prefix: "browsergrid-bench-" });
  stack.defer(() => Deno.remove(dataDir, { recursive: true }));
  const server = stack.use(
    startProgram(
      ["serve", ...args, "--port", "0", "--data-dir", dataDir],
      env,
      how,
    ),
  );
  const [, url = ""] = await server.until(/API +(\S+)\/v1/);
  const [, connectUrl = ""] = args.includes("--with-worker")
    ? await server.until(/Connect +(ws:\S+)/)
    : [];
  const owned = stack.move();
  return {
    server,
    url,
    connectUrl,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
