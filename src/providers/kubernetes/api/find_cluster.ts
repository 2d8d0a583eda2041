import { readSmallFile } from "../../kit/read_small_file.ts";
import type { ConnectionConfig } from "../config.ts";
import type { Cluster } from "./cluster.ts";
import { readKubeconfig } from "./kubeconfig.ts";
import { fileToken, fixedToken } from "./token.ts";

/** Maximum size of a file of the service account. */
const MAX_BYTES = 1_048_576;

/** Folder of the service account in every pod that has one. */
const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

/** Source of a cluster that the pool's configuration names. */
export const POOL_SOURCE = "api_server of the pool";

/**
 * Finds the cluster of a pool: the address in its configuration, its kubeconfig, the service account of this pod, or
 * the kubeconfig of this user, in this order.
 *
 * @throws {Error} If there is none, or if its files cannot be used.
 */
export async function findCluster(config: ConnectionConfig): Promise<Cluster> {
  const { namespace } = config;
  const found = config.api_server !== undefined
    ? toCluster(config, config.api_server)
    : config.kubeconfig === undefined && config.context === undefined
    ? await readServiceAccount() ?? await readKubeconfig(config)
    : await readKubeconfig(config);
  return namespace === undefined ? found : { ...found, namespace };
}

function toCluster(config: ConnectionConfig, server: string): Cluster {
  const { token, ca_certificate: ca } = config;
  return {
    server: new URL(server),
    tls: {
      ...(ca !== undefined && { ca: parseCertificate(ca) }),
      ...(config.insecure_skip_tls_verify && { rejectUnauthorized: false }),
    },
    ...(token !== undefined && { token: fixedToken(token) }),
    namespace: "default",
    source: POOL_SOURCE,
    isInCluster: false,
  };
}

/**
 * Returns the cluster in which this process runs; undefined if it runs in none, or its pod has no token.
 *
 * @param folder Folder of the service account.
 */
export async function readServiceAccount(
  folder: string = SERVICE_ACCOUNT,
): Promise<Cluster | undefined> {
  const host = Deno.env.get("KUBERNETES_SERVICE_HOST");
  const port = Deno.env.get("KUBERNETES_SERVICE_PORT") ?? "443";
  if (host === undefined) return undefined;
  const read = (name: string) => readSmallFile(`${folder}/${name}`, MAX_BYTES);
  try {
    const [ca, namespace] = await Promise.all([
      read("ca.crt"),
      read("namespace"),
    ]);
    return {
      server: new URL(
        `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
      ),
      tls: { ca },
      token: fileToken(`${folder}/token`),
      namespace: namespace.trim(),
      source: "service account of this pod",
      isInCluster: true,
    };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Returns a certificate in PEM form, which may be Base64 as in a kubeconfig. */
function parseCertificate(text: string): string {
  return text.includes("-----BEGIN") ? text : atob(text.trim());
}
