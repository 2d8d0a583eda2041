import { callEngine, type Engine, engineStatus } from "../engine/engine.ts";

/**
 * Id of the network of that name, made if it is missing.
 *
 * A network that is made keeps its containers apart, so that a page in one session cannot reach another session's
 * browser. An existing one is taken as it is.
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
    // Another worker of this machine was faster.
    if (engineStatus(error) !== 409) throw error;
  }
  return await findNetwork(engine, name, signal) ?? name;
}

/** The oldest of that name: the engine lets two be made at the same moment, and then refuses the name. */
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
