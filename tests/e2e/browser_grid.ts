import { createClient, type GridClient } from "../../src/client/client.ts";
import type { SessionWire } from "../../src/apps/sessions/schemas.ts";
import { type CdpClient, cdpClient } from "../support/cdp_client.ts";
import { startProgram } from "../support/program.ts";

/** A grid in a separate process, with a worker, that tests reach as users do. */
export interface BrowserGrid extends AsyncDisposable {
  readonly client: GridClient;
  /** Folder of the server's and the worker's data. */
  readonly dataDir: string;
  /** Starts a session and connects to its first page. */
  page(asked: Readonly<Record<string, unknown>>): Promise<CdpClient>;
}

/** Starts a grid whose worker serves a pool of `provider`. */
export async function browserGrid(
  provider: "local" | "docker",
  env: Readonly<Record<string, string>> = {},
): Promise<BrowserGrid> {
  await using stack = new AsyncDisposableStack();
  const dataDir = await Deno.makeTempDir({ prefix: "browsergrid-e2e-" });
  stack.defer(() => Deno.remove(dataDir, { recursive: true }));
  const program = stack.use(startProgram(
    ["serve", "--with-worker", provider, "--port", "0", "--data-dir", dataDir],
    env,
  ));
  const [, apiUrl = ""] = await program.until(/API +(http:\S+)\/v1/);
  const client = createClient({ apiUrl });
  const owned = stack.move();
  return {
    client,
    dataDir,
    async page(asked) {
      const session = await client.createSession(asked, { waitSeconds: 60 });
      if (session.status !== "running") {
        throw new Error(describeStatus(session));
      }
      const targets = await client.listSessionTargets(session.id);
      const page = targets.find(({ type }) => type === "page");
      return await cdpClient(String(page?.["webSocketDebuggerUrl"]));
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function describeStatus({ status, status_reason }: SessionWire): string {
  return `The session is ${status}: ${status_reason}`;
}
