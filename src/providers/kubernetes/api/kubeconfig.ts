/**
 * The client configuration of kubectl.
 *
 * @see {@link https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/ kubeconfig (v1)}
 * @module
 */
import { delimiter, dirname, join, resolve } from "node:path";
import { homedir } from "node:os";
import { parse } from "yaml";
import { z } from "zod";
import { readSmallFile } from "../../kit/read_small_file.ts";
import type { ConnectionConfig } from "../config.ts";
import { cleanText, toReason } from "./api_error.ts";
import type { Cluster } from "./cluster.ts";
import { fileToken, fixedToken, type TokenSource } from "./token.ts";

/** Maximum size of a kubeconfig, and of a certificate or key that it names. */
const MAX_BYTES = 1_048_576;

const text = z.string().optional();

const clusterSchema = z.object({
  server: z.url(),
  "certificate-authority": text,
  "certificate-authority-data": text,
  "insecure-skip-tls-verify": z.boolean().optional(),
  "tls-server-name": text,
  "proxy-url": text,
});

const userSchema = z.object({
  token: text,
  tokenFile: text,
  "client-certificate": text,
  "client-certificate-data": text,
  "client-key": text,
  "client-key-data": text,
  username: text,
  exec: z.unknown().optional(),
  "auth-provider": z.unknown().optional(),
});

const contextSchema = z.object({
  cluster: z.string(),
  user: text,
  namespace: text,
});

const kubeconfigSchema = z.object({
  "current-context": text,
  clusters: z.array(z.object({ name: z.string(), cluster: z.unknown() })),
  contexts: z.array(z.object({ name: z.string(), context: contextSchema })),
  users: z.array(z.object({ name: z.string(), user: z.unknown() })).nullish(),
});

type User = z.infer<typeof userSchema>;

/**
 * Reads the cluster of a context.
 *
 * @throws {Error} `Cannot use kubeconfig ...`. Never contains a value of a credential.
 */
export async function readKubeconfig(
  { kubeconfig, context }: Pick<ConnectionConfig, "kubeconfig" | "context">,
): Promise<Cluster> {
  const path = kubeconfig ?? findDefaultPath();
  try {
    return await readContext(path, context);
  } catch (error) {
    const reason = error instanceof z.ZodError
      ? error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`)
        .join("; ")
      : toReason(error);
    throw new Error(
      `Cannot use kubeconfig "${path}": ${cleanText(reason)}`,
      { cause: error },
    );
  }
}

function findDefaultPath(): string {
  const [first] = (Deno.env.get("KUBECONFIG") ?? "").split(delimiter);
  return first || join(homedir(), ".kube", "config");
}

async function readContext(
  path: string,
  wanted: string | undefined,
): Promise<Cluster> {
  const config = kubeconfigSchema.parse(await readYaml(path));
  const name = wanted ?? config["current-context"];
  if (!name) throw new Error("it has no current context, expected context");
  const { context } = find(config.contexts, name, "context");
  const cluster = clusterSchema.parse(
    find(config.clusters, context.cluster, "cluster").cluster,
  );
  const user = context.user === undefined
    ? {}
    : userSchema.parse(find(config.users ?? [], context.user, "user").user);
  if (cluster["proxy-url"] !== undefined) {
    throw new Error(
      `cluster "${context.cluster}" has a proxy-url, expected a direct connection`,
    );
  }
  rejectPrograms(user, context.user ?? "");
  const folder = dirname(path);
  const read = (data: string | undefined, file: string | undefined) =>
    readData(data, file, folder);
  return {
    server: new URL(cluster.server),
    tls: {
      ca: await read(
        cluster["certificate-authority-data"],
        cluster["certificate-authority"],
      ),
      cert: await read(
        user["client-certificate-data"],
        user["client-certificate"],
      ),
      key: await read(user["client-key-data"], user["client-key"]),
      servername: cluster["tls-server-name"],
      ...(cluster["insecure-skip-tls-verify"] && { rejectUnauthorized: false }),
    },
    token: toTokenSource(user, folder),
    namespace: context.namespace ?? "default",
    source: `context "${name}" of ${path}`,
    isInCluster: false,
  };
}

async function readYaml(path: string): Promise<unknown> {
  const yaml = await readSmallFile(path, MAX_BYTES);
  try {
    return parse(yaml, { logLevel: "error", prettyErrors: false });
  } catch {
    // The parser's message quotes the file.
    throw new Error("it is not YAML");
  }
}

function find<T extends { readonly name: string }>(
  entries: readonly T[],
  name: string,
  kind: string,
): T {
  const found = entries.find((each) => each.name === name);
  if (found) return found;
  const names = entries.slice(0, 20).map((each) => each.name).join(", ");
  throw new Error(`it has no ${kind} "${name}", expected one of: ${names}`);
}

/** Rejects credentials that other programs obtain: a pool's configuration must not start programs on the worker. */
function rejectPrograms(user: User, name: string): void {
  const kind = user.exec !== undefined
    ? "an exec plugin"
    : user["auth-provider"] !== undefined
    ? "an auth-provider"
    : user.username !== undefined
    ? "a user name and password"
    : undefined;
  if (kind === undefined) return;
  throw new Error(
    `user "${name}" has ${kind}, which is not supported, expected a token or a client certificate, such as of "kubectl create token browsergrid-worker"`,
  );
}

async function readData(
  data: string | undefined,
  file: string | undefined,
  folder: string,
): Promise<string | undefined> {
  if (data !== undefined) return atob(data);
  if (file === undefined) return undefined;
  const path = resolve(folder, file);
  try {
    return await readSmallFile(path, MAX_BYTES);
  } catch (cause) {
    throw new Error(`cannot read "${path}": ${toReason(cause)}`, { cause });
  }
}

function toTokenSource(user: User, folder: string): TokenSource | undefined {
  if (user.token !== undefined) return fixedToken(user.token);
  return user.tokenFile === undefined
    ? undefined
    : fileToken(resolve(folder, user.tokenFile));
}
