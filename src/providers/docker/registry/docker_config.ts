import { join } from "node:path";
import { z } from "zod";
import { PARSED_ONCE } from "../../../core/schema.ts";

/** Maximum size of the file. */
const MAX_BYTES = 1024 * 1024;

/** An entry of `auths`. `docker login` writes `auth`, the Base64 of `USER:PASSWORD`. */
const entrySchema = z.object({
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
});

/** Name of a helper, from which the name of its program derives. */
const helperSchema = z.string().regex(/^[\w.-]+$/);

const dockerFileSchema = z.object({
  auths: z.record(z.string(), entrySchema).optional(),
  credsStore: helperSchema.or(z.literal("")).optional(),
  credHelpers: z.record(z.string(), helperSchema).optional(),
});

/** The part of Docker's configuration that has credentials, or names the programs that have them. */
export type DockerFile = z.infer<typeof dockerFileSchema>;

/** An entry of `auths`. */
export type DockerFileEntry = z.infer<typeof entrySchema>;

/**
 * Returns the configuration of Docker's command line, in the folder `DOCKER_CONFIG` or in `.docker` of the home folder;
 * undefined if there is none.
 *
 * @throws {Error} If the file cannot be read or parsed. The message has nothing of its content.
 */
export async function readDockerFile(): Promise<
  { readonly path: string; readonly file: DockerFile } | undefined
> {
  const path = findPath();
  if (path === undefined) return undefined;
  const text = await readLimited(path);
  if (text === undefined) return undefined;
  // The messages of a parser quote the text.
  const parsed = dockerFileSchema.safeParse(parseJson(text), PARSED_ONCE);
  if (parsed.success) return { path, file: parsed.data };
  throw new Error(
    `Cannot read Docker configuration "${path}": it is not valid, expected JSON as "docker login" writes it`,
  );
}

function findPath(): string | undefined {
  const folder = Deno.env.get("DOCKER_CONFIG");
  if (folder) return join(folder, "config.json");
  const home = Deno.env.get("HOME") ?? Deno.env.get("USERPROFILE");
  return home ? join(home, ".docker", "config.json") : undefined;
}

async function readLimited(path: string): Promise<string | undefined> {
  let size: number;
  try {
    ({ size } = await Deno.stat(path));
    if (size <= MAX_BYTES) return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new Error(
      `Cannot read Docker configuration "${path}": ${
        error instanceof Error ? error.name : "unknown error"
      }, expected a file that this user may read`,
    );
  }
  throw new Error(
    `Cannot read Docker configuration "${path}": it has ${size} bytes, expected at most ${MAX_BYTES}`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
