import type Docker from "dockerode";
import type { ContainerCreateOptions } from "dockerode";
import type { Engine } from "../engine/engine.ts";

/** A container that is to be made, with a name by which it is known before it is there. */
export type NamedContainer = ContainerCreateOptions & { readonly name: string };

/**
 * Makes a container.
 *
 * The client library repeats what it is given in the address of its request, unless it is told what belongs there:
 * engines and proxies log addresses, and variables are secrets.
 */
export function createContainer(
  engine: Engine,
  { name, ...create }: NamedContainer,
  abortSignal: AbortSignal,
): Promise<Docker.Container> {
  return engine.docker.createContainer({
    // The type lacks what is meant for the address and what for the body.
    ...({ _query: { name }, _body: create }),
    abortSignal,
  });
}
