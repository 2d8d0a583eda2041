import type { BrowserSpec } from "../../../core/browser_spec.ts";
import type { CheckResult, HostInfo } from "../../../core/provider.ts";
import { reportUnchecked } from "../../kit/report_unchecked.ts";
import { apiStatus, ConnectionError, toReason } from "../api/api_error.ts";
import { KubernetesClient } from "../api/client.ts";
import { findCluster, POOL_SOURCE } from "../api/find_cluster.ts";
import type { KubernetesConfig } from "../config.ts";
import { usesPortForward } from "../connection.ts";
import { createMachinePod } from "../machines/template.ts";
import { createMachineLabels, createSessionLabels } from "../pod/labels.ts";
import { createPodName } from "../pod/names.ts";
import { createSessionPod } from "../pod/template.ts";
import { checkAccess } from "./access.ts";

/** Timeout of each request of a check. */
const TIMEOUT_MS = 5_000;

const LIMITS = { timeoutMs: TIMEOUT_MS, retries: false } as const;

/** Id of the session and worker of a pod that the cluster checks and does not create. */
const CHECK_ID = "check";

/** Names what a failure of the credentials or of the server prevents. */
const UNCHECKED = reportUnchecked(
  "rights, secrets, runtime class and admission, which need a sign-in",
);

/** Specification of a browser that is only checked. */
const CHECKED: BrowserSpec = {
  browser: "chromium",
  version: "latest",
  headless: true,
  screen: { width: 1_280, height: 720, dpi: 96, scale: 1 },
  environment: {},
  arguments: [],
  isolated: false,
  egress: { mode: "open", allow: [], pool: CHECK_ID },
};

/**
 * Checks credentials, server, rights, secrets, runtime class and admission. Creates nothing: the cluster checks pods with
 * `dryRun`.
 */
export async function checkKubernetes(
  config: KubernetesConfig,
  info: HostInfo,
): Promise<readonly CheckResult[]> {
  let client: KubernetesClient;
  try {
    client = new KubernetesClient(await findCluster(config));
  } catch (error) {
    const detail = `${
      toReason(error)
    }. Set kubeconfig, api_server, or run the worker in the cluster`;
    return [{ name: "credentials", status: "fail", detail }];
  }
  const unsigned = checkToken(client);
  if (unsigned !== undefined) return [unsigned, UNCHECKED];
  const api = await checkApi(client);
  if (api.status === "fail") return [api, UNCHECKED];
  try {
    const { cluster } = client;
    const access = await checkAccess(client, config, {
      usesPortForward: usesPortForward(config, cluster),
    });
    return [
      api,
      ...access,
      ...await checkPullSecrets(client, config),
      ...await checkRuntimeClass(client, config),
      ...await checkAdmission(client, config, info),
      ...(config.unit === "session" ? [checkReach(client, config)] : []),
      checkSandbox(config),
    ];
  } catch (error) {
    return [api, {
      name: "access",
      status: "fail",
      detail: `Cannot check the cluster: ${toReason(error)}. ${
        renderAdvice(error)
      }`,
    }];
  }
}

/**
 * Reports a pool with an address and without a token. On loopback, a proxy such as `kubectl proxy` may add one. A
 * kubeconfig may have a certificate in its place.
 */
function checkToken({ cluster }: KubernetesClient): CheckResult | undefined {
  const { server, source, token, tls } = cluster;
  if (token !== undefined || tls.cert !== undefined) return undefined;
  if (source !== POOL_SOURCE || server.protocol === "http:") return undefined;
  return {
    name: "credentials",
    status: "fail",
    detail:
      `Cannot sign in to the Kubernetes API at ${server.host}: api_server is set without token, expected the token of a service account, such as of "kubectl create token browsergrid-worker"`,
  };
}

async function checkApi(client: KubernetesClient): Promise<CheckResult> {
  const { server, source } = client.cluster;
  const name = "api";
  try {
    const version = await client.version(LIMITS);
    const detail = `Kubernetes ${version} at ${server.host}, by the ${source}`;
    return { name, status: "ok", detail };
  } catch (error) {
    const problem = error instanceof ConnectionError && error.isUnreachable
      ? `Kubernetes API at ${server.host}, by the ${source}, ${
        renderUnreachable(error)
      }`
      : `Cannot use the Kubernetes API at ${server.host}, by the ${source}: ${
        toReason(error)
      }`;
    return {
      name,
      status: "fail",
      detail: `${problem}. ${renderAdvice(error)}`,
    };
  }
}

function renderUnreachable({ code }: ConnectionError): string {
  return code === "ECONNREFUSED"
    ? "refuses connections"
    : `cannot be reached (${code})`;
}

function renderAdvice(error: unknown): string {
  switch (apiStatus(error)) {
    case 401:
      return 'Renew the token, such as with "kubectl create token browsergrid-worker"';
    case 403:
      return "Apply the role of deploy/kubernetes/rbac.yaml";
    default:
      return /certificate/i.test(toReason(error))
        ? "Set ca_certificate to the authority of the API server"
        : "Set the address of the API server, and check that this host reaches it";
  }
}

async function checkPullSecrets(
  client: KubernetesClient,
  { image_pull_secrets }: KubernetesConfig,
): Promise<readonly CheckResult[]> {
  const results = image_pull_secrets.map(async (secret) => {
    const state = await findState(client, "secrets", secret);
    const named =
      `Image pull secret "${secret}" of namespace "${client.cluster.namespace}"`;
    return renderState("image_pull_secret", named, state);
  });
  return await Promise.all(results);
}

async function checkRuntimeClass(
  client: KubernetesClient,
  { runtime_class: name }: KubernetesConfig,
): Promise<readonly CheckResult[]> {
  if (name === undefined) return [];
  const state = await findState(client, "runtimeclasses", name);
  return [renderState("runtime_class", `Runtime class "${name}"`, state)];
}

type State = "present" | "missing" | "unknown";

async function findState(
  client: KubernetesClient,
  kind: "secrets" | "runtimeclasses",
  name: string,
): Promise<State> {
  try {
    return await client.exists(kind, name, LIMITS) ? "present" : "missing";
  } catch (error) {
    if (apiStatus(error) === 403) return "unknown";
    throw error;
  }
}

function renderState(name: string, named: string, state: State): CheckResult {
  switch (state) {
    case "present":
      return { name, status: "ok", detail: `${named} exists` };
    case "missing":
      return { name, status: "fail", detail: `${named} is missing: create it` };
    case "unknown":
      return {
        name,
        status: "warn",
        detail:
          `${named} cannot be checked, because the credentials may not read it`,
      };
    default:
      return state satisfies never;
  }
}

/** Has the cluster check pods: namespace, quota, pod security, runtime class and webhooks. */
async function checkAdmission(
  client: KubernetesClient,
  config: KubernetesConfig,
  info: HostInfo,
): Promise<readonly CheckResult[]> {
  const name = "admission";
  const reason = await findRejection(
    client,
    createCheckedPod(config, info, CHECKED),
  );
  if (reason !== undefined) {
    const detail = `The cluster rejects pods of this pool: ${reason}`;
    return [{ name, status: "fail", detail }];
  }
  const accepted: CheckResult = {
    name,
    status: "ok",
    detail: `Namespace "${client.cluster.namespace}" accepts pods of this pool`,
  };
  if (config.unit === "worker") return [accepted];
  const rest =
    "sessions of client keys do not start unless the pool's egress is open";
  if (config.image_kind === "other") {
    const detail = `The image cannot enforce egress limits, so that ${rest}`;
    return [accepted, { name: "egress", status: "warn", detail }];
  }
  const egress = { mode: "none", allow: [], pool: CHECK_ID } as const;
  const limited = createCheckedPod(config, info, { ...CHECKED, egress });
  const problem = await findRejection(client, limited);
  return [
    accepted,
    problem === undefined
      ? {
        name: "egress",
        status: "ok",
        detail: "The cluster accepts pods that limit their own network",
      }
      : {
        name: "egress",
        status: "warn",
        detail:
          `The cluster rejects pods that limit their own network (as root, with NET_ADMIN, until the browser starts), so that ${rest}: ${problem}`,
      },
  ];
}

function createCheckedPod(
  config: KubernetesConfig,
  info: HostInfo,
  spec: BrowserSpec,
) {
  const name = createPodName(CHECK_ID);
  if (config.unit === "session") {
    const labels = createSessionLabels(info, CHECK_ID);
    const plan = { name, labels, owner: undefined, gridAddresses: [] };
    return createSessionPod(spec, config, plan).pod;
  }
  const pool = { gridId: info.gridId, poolId: CHECK_ID };
  return createMachinePod(
    {
      workerId: CHECK_ID,
      serverUrl: "http://localhost",
      capacity: config.worker_capacity,
    },
    config,
    { name, poolId: CHECK_ID, labels: createMachineLabels(pool, CHECK_ID) },
  );
}

async function findRejection(
  client: KubernetesClient,
  pod: ReturnType<typeof createCheckedPod>,
): Promise<string | undefined> {
  try {
    await client.createPod(pod, LIMITS, { isDryRun: true });
  } catch (error) {
    return toReason(error);
  }
}

function checkReach(
  { cluster }: KubernetesClient,
  config: KubernetesConfig,
): CheckResult {
  const name = "reach";
  if (usesPortForward(config, cluster)) {
    const detail =
      "Browsers are reached through the API server, by port-forwards, and clients through the worker's tunnel";
    return { name, status: "ok", detail };
  }
  return cluster.isInCluster
    ? {
      name,
      status: "ok",
      detail: "Browsers are reached at their pods' addresses",
    }
    : {
      name,
      status: "warn",
      detail:
        "Browsers are reached at their pods' addresses, although this worker runs outside the cluster: its network must route them",
    };
}

function checkSandbox(
  { unit, sandbox, seccomp, image_kind }: KubernetesConfig,
): CheckResult {
  const name = "sandbox";
  if (sandbox === "off") {
    const detail = "Chromium's sandbox is off by the pool's setting";
    return { name, status: "warn", detail };
  }
  if (unit === "session" && image_kind === "other" && sandbox !== "on") {
    const detail =
      'The image is not the project\'s, so that it is started with --no-sandbox unless sandbox is "on"';
    return { name, status: "warn", detail };
  }
  if (seccomp === "runtime") {
    return {
      name,
      status: sandbox === "on" ? "fail" : "warn",
      detail:
        "Chromium's sandbox needs user namespaces, which the runtime's default filter does not allow: install the profile of \"browsergrid docker seccomp-profile\" on the nodes and set seccomp to localhost",
    };
  }
  const detail =
    "Chromium's sandbox is on where the kernel of the node allows user namespaces";
  return { name, status: "ok", detail };
}
