import { networkInterfaces } from "node:os";

/** Returns the addresses of this machine, on which the worker, and possibly the server and the engine, listen. */
export function listMachineAddresses(): readonly string[] {
  const interfaces = Object.values(networkInterfaces()).flatMap((each) =>
    each ?? []
  );
  return [
    ...new Set(
      interfaces.map(({ address }) => address.replace(/%.*$/, "")),
    ),
  ];
}
