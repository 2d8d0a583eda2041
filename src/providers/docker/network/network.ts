import { callEngine } from "../engine/call_engine.ts";
import type { Engine } from "../engine/engine.ts";
import { engineStatus } from "../engine/engine_error.ts";

/**
 * Returns the id of the network called `name`, and creates it if it is missing.
 *
 * A created network separates its containers, so that a page in one session cannot reach the browser of another. An
 * existing network is used unchanged.
 */
export async function ensureNetwork(
  engine: Engine,
  name: string,
  signal: AbortSignal,
): Promise<string> {
  const found = await findNetwork(engine, name, signal);
  if (found !== undefined) return found;
  try {
    await callEngine((abortSignal) =>
      engine.docker.createNetwork({
        Name: name,
        CheckDuplicate: true,
        Driver: "bridge",
        Options: { "com.docker.network.bridge.enable_icc": "false" },
        Labels: { "browsergrid.network": "1" },
        abortSignal,
      }), { signal });
  } catch (error) {
    // Another worker of this machine has created it.
    if (engineStatus(error) !== 409) throw error;
  }
  return await findNetwork(engine, name, signal) ?? name;
}

/**
 * Returns the id of the oldest network of that name. The engine lets two clients create the same name at the same
 * moment, and rejects the ambiguous name afterwards.
 */
async function findNetwork(
  engine: Engine,
  name: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const networks = await callEngine(
    (abortSignal) =>
      engine.docker.listNetworks({
        filters: { name: [name] },
        abortSignal,
      }),
    { signal },
  );
  return networks
    .filter((network) => network.Name === name)
    .sort((a, b) => a.Created.localeCompare(b.Created))[0]?.Id;
}
