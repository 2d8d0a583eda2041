import { fileURLToPath } from "node:url";
import { createClient, type GridClient } from "../../src/client/client.ts";
import { type RunningProgram, startProgram } from "./program.ts";

const PLUGIN = fileURLToPath(new URL("given_browsers.ts", import.meta.url));

/** Path from the server to a browser. */
export type Reach = "direct" | "tunnel";

/** A server and a worker, each the real program in a process of its own, for browsers that are there already. */
export interface GivenGrid extends AsyncDisposable {
  readonly server: RunningProgram;
  readonly client: GridClient;
  /** Starts a worker whose browsers are reached so. */
  worker(reach: Reach): Promise<RunningProgram>;
  /** Creates a session with the browser at `endpoint`, and returns the connect URL for up to a thousand clients. */
  session(reach: Reach, endpoint: string): Promise<string>;
}

/** Options of {@linkcode givenGrid}. */
export interface GivenGridOptions {
  /** Arguments of `serve` in addition to port, data folder and the plugin. */
  readonly args?: readonly string[];
  /** Settings of `serve`, as variables. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts the server, with the settings that users have. */
export async function givenGrid(
  { args = [], env = {} }: GivenGridOptions = {},
): Promise<GivenGrid> {
  await using stack = new AsyncDisposableStack();
  const dataDir = await Deno.makeTempDir({ prefix: "browsergrid-given-" });
  stack.defer(() => Deno.remove(dataDir, { recursive: true }));
  const common = ["--plugin", PLUGIN, "--data-dir", dataDir];
  const server = stack.use(
    startProgram(["serve", "--port", "0", ...common, ...args], env),
  );
  const [, url = ""] = await server.until(/API +(\S+)\/v1/);
  const client = createClient({ apiUrl: url });
  const owned = stack.move();
  return {
    server,
    client,
    async worker(reach) {
      await client.createPool({ name: reach, provider_type: "given" });
      const worker = owned.use(
        startProgram([
          ...["worker", "--work-pool-id", reach, "--api-url", url, ...common],
          ...["--reach", reach],
        ]),
      );
      // Asked to end, it would wait for its browsers, which are not its own to end.
      owned.defer(() => {
        try {
          worker.kill("SIGKILL");
        } catch {
          // It has ended already.
        }
      });
      await worker.until(/serves work pool/);
      return worker;
    },
    async session(reach, endpoint) {
      const { id } = await client.createSession({
        work_pool_id: reach,
        environment: { ENDPOINT: endpoint },
        max_connections: 1_000,
      }, { waitSeconds: 30 });
      return `${url.replace("http", "ws")}/v1/sessions/${id}/cdp`;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
