import type Docker from "dockerode";
import type { ContainerCreateOptions } from "dockerode";
import type { Engine } from "../engine/engine.ts";

/** Options of a container with a name, by which it can be removed before its id is known. */
export type NamedContainer = ContainerCreateOptions & { readonly name: string };

/**
 * Creates a container.
 *
 * Passes query and body separately: otherwise the client library repeats all options in the URL of the request, which
 * engines and proxies log, and variables contain secrets.
 */
export function createContainer(
  engine: Engine,
  { name, ...create }: NamedContainer,
  abortSignal: AbortSignal,
): Promise<Docker.Container> {
  return engine.docker.createContainer({
    // The types lack these two options.
    ...({ _query: { name }, _body: create }),
    abortSignal,
  });
}
