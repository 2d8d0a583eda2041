import type { DockerConfig } from "../config.ts";
import {
  type HelperCredentials,
  runCredentialHelper,
} from "./credential_helper.ts";
import { type DockerFileEntry, readDockerFile } from "./docker_config.ts";
import {
  normalizeRegistry,
  parseRegistry,
  toHelperKey,
} from "./registry_name.ts";

/** User name by which helpers mark a token. */
const TOKEN_USER = "<token>";

/** Credentials as the engine expects them in the header `X-Registry-Auth`. */
export interface RegistryAuth {
  readonly username?: string;
  readonly password?: string;
  /** Token that the registry's authorization server exchanges for others. */
  readonly identitytoken?: string;
  readonly serveraddress: string;
}

/** Credentials for one registry. Secret, except for the source. */
export interface RegistryCredentials {
  readonly auth: RegistryAuth;
  /** Place where they are, for messages: "the pool", "/root/.docker/config.json". */
  readonly source: string;
}

/** The members of a pool's configuration that select credentials. */
export type CredentialsConfig = Pick<
  DockerConfig,
  "docker_host" | "image" | "registry_username" | "registry_password"
>;

/** Result of {@linkcode findCredentials}. */
export interface FoundCredentials {
  readonly credentials?: RegistryCredentials | undefined;
  /** Why Docker's configuration, or a helper that it names, could not be asked. A public image needs neither. */
  readonly problem?: string | undefined;
}

/**
 * Returns the credentials for the registry of an image: those of the pool for its own registry, else those of Docker's
 * configuration. The latter belong to the host's operator, and are not sent to an engine that only the pool names.
 *
 * @param image Name of the image with a session's browser and version.
 * @throws {Error} If the pool's credentials are incomplete.
 */
export async function findCredentials(
  image: string,
  config: CredentialsConfig,
  signal: AbortSignal,
): Promise<FoundCredentials> {
  const registry = parseRegistry(image);
  const own = findPoolCredentials(registry, config);
  if (own) return { credentials: own };
  if (!isHostEngine(config)) return {};
  try {
    return { credentials: await findDockerCredentials(registry, signal) };
  } catch (error) {
    signal.throwIfAborted();
    return { problem: error instanceof Error ? error.message : "" };
  }
}

/** Reports whether the pool's engine is one of this host: a socket of it, or the one in its `DOCKER_HOST`. */
function isHostEngine({ docker_host }: CredentialsConfig): boolean {
  return docker_host === undefined || /^(unix|npipe):/.test(docker_host) ||
    docker_host === Deno.env.get("DOCKER_HOST");
}

function findPoolCredentials(
  registry: string,
  { image, registry_username, registry_password }: CredentialsConfig,
): RegistryCredentials | undefined {
  if (registry_username === undefined && registry_password === undefined) {
    return undefined;
  }
  if (registry_username === undefined || registry_password === undefined) {
    const missing = registry_username === undefined
      ? "registry_username"
      : "registry_password";
    throw new Error(
      `Cannot use the pool's registry credentials: ${missing} is missing, expected registry_username and registry_password`,
    );
  }
  // The version of a session must not choose the registry that receives them.
  if (parseRegistry(image) !== registry) return undefined;
  return {
    source: "the pool",
    auth: {
      username: registry_username,
      password: registry_password,
      serveraddress: registry,
    },
  };
}

/** @throws {Error} If the configuration, or a helper that it names, fails. The message has no secret. */
async function findDockerCredentials(
  registry: string,
  signal: AbortSignal,
): Promise<RegistryCredentials | undefined> {
  const found = await readDockerFile();
  if (!found) return undefined;
  const { path: source, file } = found;
  const helper = findByRegistry(file.credHelpers, registry) ||
    file.credsStore;
  const credentials = helper
    ? await runCredentialHelper(helper, toHelperKey(registry), { signal })
    : undefined;
  const entry = findByRegistry(file.auths, registry);
  const auth = credentials
    ? toAuth(credentials)
    : entry && readEntry(entry, source);
  return auth && { source, auth: { ...auth, serveraddress: registry } };
}

function findByRegistry<T>(
  entries: Readonly<Record<string, T>> = {},
  registry: string,
): T | undefined {
  return Object.entries(entries)
    .find(([key]) => normalizeRegistry(key) === registry)?.[1];
}

/** Credentials without their registry. */
type PlainAuth = Omit<RegistryAuth, "serveraddress">;

function toAuth({ Username, Secret }: HelperCredentials): PlainAuth {
  return Username === TOKEN_USER
    ? { identitytoken: Secret }
    : { username: Username, password: Secret };
}

/** Returns the credentials of an entry of `auths`; undefined if it only records that a helper has them. */
function readEntry(
  { auth, username, password, identitytoken }: DockerFileEntry,
  path: string,
): PlainAuth | undefined {
  if (identitytoken) return { identitytoken };
  if (auth) return decodePair(auth, path);
  return username && password ? { username, password } : undefined;
}

function decodePair(auth: string, path: string): PlainAuth {
  let pair = "";
  try {
    pair = new TextDecoder().decode(Uint8Array.fromBase64(auth));
  } catch {
    // Not Base64.
  }
  const colon = pair.indexOf(":");
  if (colon > 0) {
    return {
      username: pair.slice(0, colon),
      // Some versions of Docker end it with NUL.
      password: pair.slice(colon + 1).replace(/\0+$/, ""),
    };
  }
  throw new Error(
    `Cannot read Docker configuration "${path}": a member auth is not valid, expected the Base64 of USER:PASSWORD`,
  );
}

/** Replaces the secrets of credentials in a message, which a registry may repeat. */
export function removeSecrets(
  text: string,
  { auth }: RegistryCredentials,
): string {
  const { username, password, identitytoken } = auth;
  const secrets = [password, identitytoken].filter((secret) =>
    secret !== undefined
  );
  const pair = `${username}:${password}`;
  return [
    ...secrets,
    ...secrets.map((secret) => encodeURIComponent(secret)),
    new TextEncoder().encode(pair).toBase64(),
  ].reduce((rest, secret) => rest.replaceAll(secret, "..."), text);
}
