import ipaddr from "ipaddr.js";
import { z } from "zod";
import { parseAddress } from "../../../core/egress.ts";
import { listMachineAddresses } from "../../kit/machine_addresses.ts";
import { callEngine } from "../engine/call_engine.ts";
import type { Engine } from "../engine/engine.ts";
import { readEngineResponse } from "../engine/stream_response.ts";

const networkSchema = z.object({
  Name: z.string(),
  Driver: z.string(),
  IPAM: z.object({
    Config: z.array(z.object({ Subnet: z.string() })).nullish(),
  }),
});

/**
 * Returns why this process cannot connect to the containers of a bridge network: it has no address in it, such as a
 * worker in a container of another network. Undefined if it can, or if the network is not a bridge of this machine.
 *
 * @param network Id or name of the network.
 */
export async function findReachProblem(
  engine: Engine,
  network: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const path = `/networks/${network}`;
  const text = await callEngine(
    (abortSignal) =>
      readEngineResponse(engine.docker.modem, { path, abortSignal }),
    { signal },
  );
  const { Name, Driver, IPAM } = networkSchema.parse(JSON.parse(text));
  const subnets = IPAM.Config?.map(({ Subnet }) => Subnet) ?? [];
  const isReached = Driver !== "bridge" || subnets.length === 0 ||
    listMachineAddresses().some((address) =>
      subnets.some((subnet) => contains(subnet, address))
    );
  return isReached
    ? undefined
    : `this worker has no address in network "${Name}" (${
      subnets.join(", ")
    }), expected a worker on the engine's host, or in a container with the host's network (--network host)`;
}

function contains(subnet: string, text: string): boolean {
  const [network, bits] = ipaddr.parseCIDR(subnet);
  const address = parseAddress(text);
  return address !== undefined && address.kind() === network.kind() &&
    address.match(network, bits);
}
