import type { AzureConfig } from "../config.ts";
import type { ReadVariable } from "./sign_in.ts";

/** Options of a pool that name a service of Azure. */
type ServiceOption = "login_url" | "management_url" | "metadata_url";

interface Service {
  /** Origins in the public cloud, and in those of the US government and of China. */
  readonly published: readonly string[];
  /** Variable with which the operator of this host trusts another one; Azure's own tools read it too. */
  readonly variable: string;
}

const SERVICES: Readonly<Record<ServiceOption, Service>> = {
  login_url: {
    published: [
      "https://login.microsoftonline.com",
      "https://login.microsoftonline.us",
      "https://login.partner.microsoftonline.cn",
    ],
    variable: "AZURE_AUTHORITY_HOST",
  },
  management_url: {
    published: [
      "https://management.azure.com",
      "https://management.usgovcloudapi.net",
      "https://management.chinacloudapi.cn",
    ],
    variable: "AZURE_RESOURCE_MANAGER_ENDPOINT",
  },
  metadata_url: {
    published: ["http://169.254.169.254"],
    variable: "AZURE_POD_IDENTITY_AUTHORITY_HOST",
  },
};

/**
 * Checks that credentials of this host, which no pool contains, reach only services that Azure has published or that the
 * operator of this host has named. A pool's configuration would otherwise choose who receives them.
 *
 * @param options Options whose services receive the credentials, or tokens of them.
 * @throws {Error} With the first other service.
 */
export function requireTrustedHosts(
  config: Pick<AzureConfig, ServiceOption>,
  options: readonly ServiceOption[],
  readVariable: ReadVariable,
): void {
  for (const option of options) {
    const { published, variable } = SERVICES[option];
    const { origin } = new URL(config[option]);
    const named = URL.parse(readVariable(variable) ?? "")?.origin;
    if (published.includes(origin) || origin === named) continue;
    throw new Error(
      `Cannot sign in to Azure with credentials of this host for ${option} "${origin}": it is no published host of Azure, expected ${
        published.join(", ")
      }, the value of ${variable} in the environment, or client_secret in the pool's configuration`,
    );
  }
}
