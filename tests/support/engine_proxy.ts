import { join } from "node:path";
import { type FaultyLink, startFaultyLink } from "./faulty_link.ts";

/** The engine's socket behind one of our own that can fail. Disposal ends every connection. */
export interface EngineProxy extends FaultyLink {
  /** Address for `docker_host`. */
  readonly dockerHost: string;
}

/** Starts a proxy before the engine's usual socket. */
export async function startEngineProxy(
  target = "/var/run/docker.sock",
): Promise<EngineProxy> {
  const folder = await Deno.makeTempDir({ prefix: "engine-" });
  const path = join(folder, "docker.sock");
  const link = await startFaultyLink({
    listenOn: { path },
    target: { path: target },
  });
  return {
    ...link,
    dockerHost: `unix://${path}`,
    async [Symbol.asyncDispose]() {
      await link[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}
