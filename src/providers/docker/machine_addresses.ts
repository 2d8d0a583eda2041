import { networkInterfaces } from "node:os";

/** Addresses of this machine, on which the worker and perhaps the server and the engine listen. */
export function machineAddresses(): readonly string[] {
  const interfaces = Object.values(networkInterfaces()).flatMap((each) =>
    each ?? []
  );
  return [
    ...new Set(
      interfaces.map(({ address }) => address.replace(/%.*$/, "")),
    ),
  ];
}
