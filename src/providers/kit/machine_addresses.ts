import { networkInterfaces } from "node:os";

/** Returns the addresses of this machine, on which the worker, and possibly the server and an engine, listen. */
export function listMachineAddresses(): readonly string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((entries = []) =>
    entries.map(({ address }) => address.replace(/%.*$/, ""))
  );
  return [...new Set(addresses)];
}
