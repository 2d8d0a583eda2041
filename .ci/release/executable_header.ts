import { Buffer } from "node:buffer";
import { TARGETS } from "./targets.ts";

/** Bytes that contain every field that is read, also in executables for Windows. */
const HEADER_BYTES = 4_096;

const ELF = 0x464c457f;
const MACH_O = 0xfeedfacf;
const MZ = 0x5a4d;

/** Names of targets by the number of the processor in each format. */
const ELF_MACHINES = new Map([[0x3e, "linux-x64"], [0xb7, "linux-arm64"]]);
const MACH_O_TYPES = new Map([
  [0x01000007, "macos-x64"],
  [0x0100000c, "macos-arm64"],
]);
const PE_MACHINES = new Map([[0x8664, "windows-x64"]]);

/**
 * Returns the name of the target that an executable is for; undefined if it is for another machine. `deno compile` does
 * not check this: it accepts the base runtime of another processor.
 */
export function findTarget(executable: Uint8Array): string | undefined {
  const header = Buffer.alloc(HEADER_BYTES);
  header.set(executable.subarray(0, HEADER_BYTES));
  if (header.readUInt32LE(0) === ELF) {
    return ELF_MACHINES.get(header.readUInt16LE(18));
  }
  if (header.readUInt32LE(0) === MACH_O) {
    return MACH_O_TYPES.get(header.readUInt32LE(4));
  }
  if (header.readUInt16LE(0) === MZ) {
    const start = header.readUInt32LE(0x3c);
    return start + 6 > HEADER_BYTES
      ? undefined
      : PE_MACHINES.get(header.readUInt16LE(start + 4));
  }
  return undefined;
}

/** Returns the name of this machine's target; undefined if a release has none for it. */
export function findOwnTarget(): string | undefined {
  const { os, arch } = Deno.build;
  const system = os === "darwin" ? "macos" : os;
  return TARGETS.find((target) =>
    target.system === system && target.processor === arch
  )?.name;
}
