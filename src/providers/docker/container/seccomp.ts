import { join } from "node:path";
import profile from "../image/seccomp.json" with { type: "json" };

/** Name of the profile's file in the folder of the worker. */
const FILE_NAME = "docker-seccomp.json";

/** The project's system call filter, as Docker's engine receives it. */
export const SECCOMP_PROFILE: string = JSON.stringify(profile);

/**
 * Returns the project's system call filter for the engine: its text for Docker, and for Podman the path of a file that
 * it reads itself, which is written to `dataDir`.
 */
export async function provideSeccompProfile(
  { isPodman }: { readonly isPodman: boolean },
  dataDir: string,
): Promise<string> {
  if (!isPodman) return SECCOMP_PROFILE;
  await Deno.mkdir(dataDir, { recursive: true });
  const path = join(await Deno.realPath(dataDir), FILE_NAME);
  // Another worker may write it at the same moment, and the engine read it.
  const part = `${path}.${crypto.randomUUID()}`;
  await Deno.writeTextFile(part, SECCOMP_PROFILE);
  await Deno.rename(part, path);
  return path;
}
