import { MACHINE_FAULTS } from "./machine_faults.ts";
import { NETWORK_FAULTS } from "./network_faults.ts";
import { SERVER_FAULTS } from "./server_faults.ts";
import { WORKER_FAULTS } from "./worker_faults.ts";

/** Every kind of fault. Each undoes itself. */
export const FAULTS = {
  ...WORKER_FAULTS,
  ...SERVER_FAULTS,
  ...NETWORK_FAULTS,
  ...MACHINE_FAULTS,
} as const;

export type FaultName = keyof typeof FAULTS;

export const FAULT_NAMES = Object.keys(FAULTS) as FaultName[]; // Its own keys; TypeScript says string.
