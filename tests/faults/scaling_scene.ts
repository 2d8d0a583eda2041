import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createClient, type GridClient } from "../../src/client/client.ts";
import { signal } from "../support/chaos_grid.ts";
import { freePort } from "../support/free_port.ts";
import { ProcessMachineHost } from "../support/process_machine_host.ts";
import { type RunningProgram, startProgram } from "../support/program.ts";

const PLUGIN = fileURLToPath(
  new URL("../support/process_machines.ts", import.meta.url),
);

const API_KEY = "key-of-the-scaling-scene-0123456789";

/** Lease of the scene's sessions and pools. */
export const LEASE_SECONDS = 4;

const ENV = {
  BROWSERGRID_API_KEY: API_KEY,
  BROWSERGRID_LEASE_SECONDS: String(LEASE_SECONDS),
  BROWSERGRID_HEARTBEAT_SECONDS: "1",
  BROWSERGRID_SCALE_DOWN_SECONDS: "1",
  BROWSERGRID_LOG_LEVEL: "warning",
};

/** Servers as processes, and a pool whose machines are processes too. Disposal ends all of it. */
export interface ScalingScene extends AsyncDisposable {
  readonly client: GridClient;
  readonly poolId: string;
  /** The infrastructure of the pool. */
  readonly machines: ProcessMachineHost;
  /** While this file is there, starts of machines come about and are not answered. */
  readonly holdFile: string;
  /** The server of the client. */
  readonly server: RunningProgram;
  /** Starts it again, once it is gone. */
  restartServer(): Promise<void>;
  /** Starts another server on the same database. */
  startSecondServer(): Promise<RunningProgram>;
}

/** Sets the scene with one server. */
export async function setScalingScene(
  pool: Readonly<Record<string, number>>,
): Promise<ScalingScene> {
  await using stack = new AsyncDisposableStack();
  const root = await Deno.makeTempDir({ prefix: "bg-" });
  stack.defer(() => Deno.remove(root, { recursive: true }));
  const folder = join(root, "machines");
  const holdFile = join(root, "hold");
  const port = freePort();
  const programs = stack.use(new AsyncDisposableStack());
  async function startServer(at: number): Promise<RunningProgram> {
    const program = startProgram(
      ["serve", "--plugin", PLUGIN, "--port", String(at)]
        .concat("--data-dir", join(root, "server")),
      ENV,
    );
    programs.defer(async () => {
      signal(program, "SIGKILL");
      await program[Symbol.asyncDispose]();
    });
    await program.until(/is ready/);
    return program;
  }
  let server = await startServer(port);
  const apiUrl = `http://127.0.0.1:${port}`;
  const client = createClient({ apiUrl, apiKey: API_KEY });
  const { id: poolId } = await client.createPool({
    name: "machines",
    provider_type: "process_machines",
    provider_config: { folder, hold_file: holdFile },
    ...pool,
  });
  const machines = new ProcessMachineHost({ folder, poolId });
  stack.defer(async () => {
    // No server starts another one in this moment.
    await programs.disposeAsync();
    for (const { workerId } of await machines.list()) {
      await machines.remove(workerId);
    }
  });
  const owned = stack.move();
  return {
    client,
    poolId,
    machines,
    holdFile,
    get server() {
      return server;
    },
    async restartServer() {
      server = await startServer(port);
    },
    startSecondServer: () => startServer(freePort()),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
