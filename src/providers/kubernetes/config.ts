import { z } from "zod";
import { isLoopback } from "../../core/network.ts";
import { secretSchema } from "../../core/provider/secret_options.ts";
import { memorySchema } from "../../core/schema.ts";

/** Default image of browsers, which `browsergrid docker build-image` builds. */
export const DEFAULT_IMAGE = "browsergrid/chromium:latest";

/** A qualified name of a label or annotation. */
const KEY =
  /^([a-z0-9]([a-z0-9.-]*[a-z0-9])?\/)?[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?$/;

const LABEL_VALUE = /^([A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?)?$/;

const keySchema = z.string().max(316).regex(
  KEY,
  "expected a label name such as example.com/team",
);

const labelsSchema = z.record(
  keySchema,
  z.string().regex(
    LABEL_VALUE,
    "expected at most 63 letters, digits, -, _ and .",
  ),
).default({});

const nameSchema = z.string().regex(
  /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/,
  "expected a name of lower case letters, digits, - and .",
);

const tolerationSchema = z.strictObject({
  key: z.string().optional(),
  operator: z.enum(["Exists", "Equal"]).optional(),
  value: z.string().optional(),
  effect: z.enum(["NoSchedule", "PreferNoSchedule", "NoExecute"]).optional(),
  tolerationSeconds: z.int().optional(),
});

const secondsSchema = z.coerce.number().int().min(1);

/** Reports whether a URL may receive tokens. */
function isTrustedUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || url.username !== "" || url.password !== "") return false;
  return url.protocol === "https:" || isLoopback(url.hostname);
}

const connection = {
  namespace: nameSchema.optional().describe(
    "Namespace of the pods; by default the one of the service account or context",
  ),
  kubeconfig: z.string().min(1).optional().describe(
    "Path of a kubeconfig on the host that opens it, the worker's or for unit worker the server's; by default the pod's service account, then KUBECONFIG or ~/.kube/config",
  ),
  context: z.string().min(1).optional().describe(
    "Context of the kubeconfig; by default its current one",
  ),
  api_server: z.url({ protocol: /^https?$/ }).refine(
    isTrustedUrl,
    "expected an https URL without user name and password, or http on loopback",
  ).optional().describe(
    "Address of the API server, in place of a kubeconfig",
  ),
  token: secretSchema().optional().describe(
    "Bearer token for api_server. Secret",
  ),
  ca_certificate: z.string().min(1).max(65_536).optional().describe(
    "Certificate of the authority that signed the one of api_server, in PEM form or its Base64",
  ),
  insecure_skip_tls_verify: z.boolean().optional().describe(
    "Accept any certificate of api_server; only for tests",
  ),
};

const connectionSchema = z.strictObject(connection);

/** The part of the configuration that names the cluster. */
export type ConnectionConfig = z.infer<typeof connectionSchema>;

/** Schema of the `provider_config` of a kubernetes pool. */
export const kubernetesConfigSchema = z.strictObject({
  unit: z.enum(["session", "worker"]).default("session").describe(
    "What runs in a pod: the browser of one session, which a worker starts; or a worker with several, which the server starts",
  ),
  image: z.string().min(1).default(DEFAULT_IMAGE).describe(
    "Image of the browser; {browser} and {version} are replaced by the session's",
  ),
  image_kind: z.enum(["project", "other"]).default("project").describe(
    "project: the image is the project's or derived from it; other: it gets only Chromium's arguments",
  ),
  pull: z.enum(["missing", "always", "never"]).default("missing").describe(
    "When nodes pull the image",
  ),
  ...connection,
  reach: z.enum(["auto", "address", "port_forward"]).default("auto").describe(
    "How the worker reaches a browser: at the pod's address, or through the API server; auto uses the address inside the cluster",
  ),
  default_cpu: z.coerce.number().gt(0).max(1_024).default(1).describe(
    "CPU cores of a session if neither it nor its pool sets them; requested and limited",
  ),
  default_memory: memorySchema.default("2G").describe(
    "Memory of a session if neither it nor its pool sets it; requested and limited",
  ),
  shm_size: memorySchema.default("1G").describe(
    "Size limit of /dev/shm; only the used part counts, as memory of the session",
  ),
  node_selector: labelsSchema.describe(
    "Labels of the nodes on which pods may run, such as pool=browsers",
  ),
  tolerations: z.array(tolerationSchema).max(100).default([]).describe(
    'Taints of nodes that pods tolerate, as JSON: [{"key": "browsers", "operator": "Exists"}]',
  ),
  labels: labelsSchema.describe("Additional labels of pods"),
  annotations: z.record(keySchema, z.string().max(65_536)).default({}).describe(
    "Additional annotations of pods",
  ),
  service_account: nameSchema.optional().describe(
    "Service account of pods; its token is not mounted",
  ),
  image_pull_secrets: z.array(nameSchema).max(20).default([]).describe(
    "Secrets with the credentials of the image's registry",
  ),
  runtime_class: nameSchema.optional().describe(
    "Runtime class of pods, such as gvisor",
  ),
  run_as_user: z.coerce.number().int().min(1).default(1_000).describe(
    "User id of the browser",
  ),
  seccomp: z.enum(["runtime", "localhost", "unconfined"]).default("runtime")
    .describe(
      "System call filter: runtime, the container runtime's default; localhost, the profile seccomp_profile of the node; unconfined, none",
    ),
  seccomp_profile: z.string().min(1).default("browsergrid.json").describe(
    "Profile for seccomp localhost, below the kubelet's seccomp folder",
  ),
  user_namespaces: z.boolean().optional().describe(
    "Run pods in user namespaces (hostUsers: false), which the cluster must support",
  ),
  sandbox: z.enum(["auto", "on", "off"]).default("auto").describe(
    "Chromium's own sandbox; auto turns it off only if the node does not support it",
  ),
  arguments: z.array(z.string()).default([]).describe(
    "Additional arguments for the browser",
  ),
  schedule_timeout_seconds: secondsSchema.max(3_600).default(120).describe(
    "Time limit for a pod to get a node; an autoscaler needs some minutes",
  ),
  start_timeout_seconds: secondsSchema.max(3_600).default(300).describe(
    "Time limit from the creation of a pod until its browser responds or its worker registers, with the pull of the image",
  ),
  active_deadline_seconds: secondsSchema.min(60).max(2_592_000).default(86_400)
    .describe(
      "Lifetime after which the cluster ends a session's pod, even without the worker; longer than the longest session",
    ),
  worker_image: z.string().min(1).default("browsergrid/worker:latest").describe(
    "Image of the worker and its browser, for unit worker",
  ),
  worker_user: z.coerce.number().int().min(1).default(10_001).describe(
    "User id of workers, for unit worker",
  ),
  worker_capacity: z.coerce.number().int().min(1).max(100).default(4).describe(
    "Sessions of one worker, for unit worker",
  ),
  worker_cpu: z.coerce.number().gt(0).max(1_024).default(4).describe(
    "CPU cores of a worker, for unit worker",
  ),
  worker_memory: memorySchema.default("8G").describe(
    "Memory of a worker, for unit worker",
  ),
  drain_timeout_seconds: secondsSchema.max(604_800).default(3_600).describe(
    "Time for which the sessions of a worker may continue when its node is drained, for unit worker",
  ),
});

/** Parsed configuration of a kubernetes pool. */
export type KubernetesConfig = z.infer<typeof kubernetesConfigSchema>;
