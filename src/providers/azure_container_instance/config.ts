import { z } from "zod";
import { isLoopback } from "../../core/network.ts";
import { secretSchema } from "../../core/provider/secret_options.ts";

/** Maximum cores and memory of a container group in most regions. */
const MAX_CPU = 4;
const MAX_MEMORY_GB = 16;

/** Schema of a URL that receives tokens or secrets: https, or http on loopback. */
function trustedUrlSchema(): z.ZodString {
  return z.string().refine(
    isTrustedUrl,
    "expected an https URL without path and query, or http on loopback",
  );
}

function isTrustedUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || url.pathname !== "/" || url.search !== "") return false;
  if (url.username !== "" || url.password !== "") return false;
  return url.protocol === "https:" ||
    url.protocol === "http:" && isLoopback(url.hostname);
}

/** Schema of a name in a path of Azure's API. */
function nameSchema(): z.ZodString {
  return z.string().max(90).regex(
    /^[-\w.()]*[-\w()]$/,
    "expected letters, digits and any of -_.()",
  );
}

/** An id of Azure in the form of a UUID, of any version. */
const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A domain of a tenant. */
const DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/i;

/** Schema of the id of a subscription. */
function subscriptionSchema(): z.ZodString {
  return z.string().regex(
    ID,
    "expected a UUID: az account show --query id --output tsv",
  );
}

/** Schema of the id or a domain of a tenant. */
function tenantSchema(): z.ZodString {
  return z.string().max(253).refine(
    (text) => ID.test(text) || DOMAIN.test(text),
    "expected a UUID or a domain, such as contoso.onmicrosoft.com",
  );
}

/** Schema of the `provider_config` of a pool of Azure container groups. */
export const azureConfigSchema = z.strictObject({
  resource_group: nameSchema().describe("Resource group"),
  location: nameSchema().default("eastus").describe("Region"),
  subscription_id: subscriptionSchema().describe("Id of the subscription"),
  unit: z.enum(["worker", "session"]).default("worker").describe(
    "What a container group is for: worker, one worker with several sessions, which the server starts; session, one browser, which a worker in the same virtual network starts",
  ),
  capacity: z.number().int().min(4).max(8).default(4).describe(
    "Sessions of a worker that is a container group (4 to 8)",
  ),
  cpu: z.number().gt(0).max(MAX_CPU).optional().describe(
    "CPU cores of a container group; by default 1 for a session, 4 for a worker",
  ),
  memory_gb: z.number().gt(0).max(MAX_MEMORY_GB).optional().describe(
    "Memory of a container group in GB; by default 2 for a session, 8 for a worker",
  ),
  timeout: z.number().gt(0).max(7 * 24 * 60).optional().describe(
    "Maximum lifetime of a session in minutes; by default the server's",
  ),
  subnet_id: z.string().regex(
    /^\/subscriptions\/[^/\s]+\/resourceGroups\/[^/\s]+\/providers\/Microsoft\.Network\/virtualNetworks\/[^/\s]+\/subnets\/[^/\s]+$/i,
    "expected /subscriptions/ID/resourceGroups/NAME/providers/Microsoft.Network/virtualNetworks/NAME/subnets/NAME",
  ).optional().describe(
    "Id of a subnet that is delegated to container groups, in which they have private addresses; required for unit session",
  ),
  image_prefix: z.string().regex(
    /^[\w.:/-]*\w$/,
    "expected a registry and a folder, such as myregistry.azurecr.io/browsergrid",
  ).default("browsergrid").describe(
    "Registry and folder of the images, such as myregistry.azurecr.io/browsergrid",
  ),
  image: z.string().min(1).optional().describe(
    "Image of a session's browser; {browser} and {version} are replaced by the session's; by default PREFIX/chromium:latest",
  ),
  worker_image: z.string().min(1).optional().describe(
    "Image of a worker with a browser; by default PREFIX/worker:latest",
  ),
  registry_server: z.string().min(1).optional().describe(
    "Registry that needs credentials, such as myregistry.azurecr.io",
  ),
  registry_username: z.string().min(1).optional().describe(
    "User name at the registry",
  ),
  registry_password: secretSchema().optional().describe(
    "Password at the registry; a secret",
  ),
  registry_identity: z.string().startsWith("/subscriptions/").optional()
    .describe(
      "Id of a user-assigned managed identity that may pull from the registry, in place of a user name and password",
    ),
  auth: z.enum([
    "auto",
    "client_secret",
    "managed_identity",
    "workload_identity",
  ]).default("auto").describe(
    "How to sign in to Azure; auto uses a client secret, then a federated token, then the managed identity of the host",
  ),
  tenant_id: tenantSchema().optional().describe(
    "Id or domain of the application's tenant; by default AZURE_TENANT_ID",
  ),
  client_id: nameSchema().optional().describe(
    "Id of the application or of a user-assigned identity; by default AZURE_CLIENT_ID",
  ),
  client_secret: secretSchema().optional().describe(
    "Client secret of the application; by default AZURE_CLIENT_SECRET; a secret",
  ),
  sandbox: z.enum(["auto", "on", "off"]).default("auto").describe(
    "Chromium's own sandbox; auto turns it off where Azure does not support it",
  ),
  start_timeout_seconds: z.number().min(1).max(3_600).default(300).describe(
    "Time limit for a container group to start",
  ),
  arguments: z.array(z.string().startsWith("--")).default([]).describe(
    "Additional arguments for the browser",
  ),
  management_url: trustedUrlSchema().default("https://management.azure.com")
    .describe("URL of Azure's API"),
  login_url: trustedUrlSchema().default("https://login.microsoftonline.com")
    .describe("URL at which applications sign in"),
  metadata_url: z.string().regex(
    /^http:\/\/[^/?#@]+\/?$/,
    "expected an http URL without path",
  ).default("http://169.254.169.254").describe(
    "URL of the metadata service of Azure's virtual machines, for a managed identity",
  ),
}).refine(
  ({ unit, subnet_id }) => unit === "worker" || subnet_id !== undefined,
  {
    path: ["subnet_id"],
    message:
      "expected the id of a subnet, because unit session has no public address",
  },
);

/** Parsed configuration of a pool of Azure container groups. */
export type AzureConfig = z.infer<typeof azureConfigSchema>;

/** Cores and memory of a container group. */
export interface GroupSize {
  readonly cpu: number;
  readonly memoryGb: number;
}

/** Returns the size of the container groups of a pool. */
export function readGroupSize(
  { unit, cpu, memory_gb }: Pick<AzureConfig, "unit" | "cpu" | "memory_gb">,
): GroupSize {
  return unit === "worker"
    ? { cpu: cpu ?? 4, memoryGb: memory_gb ?? 8 }
    : { cpu: cpu ?? 1, memoryGb: memory_gb ?? 2 };
}
