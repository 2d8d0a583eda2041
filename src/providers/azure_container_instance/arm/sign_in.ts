import { z } from "zod";
import { toMessage } from "../../../core/log.ts";
import { readSmallFile } from "../../kit/read_small_file.ts";
import type { AzureConfig } from "../config.ts";
import { ArmError } from "./arm_error.ts";
import { getWithoutProxy, type HttpResponse, sendRequest } from "./http.ts";
import { parseJson } from "./parse_json.ts";
import type { AccessToken } from "./token_source.ts";

/** Timeout of a sign-in: a host outside of Azure has no metadata service. */
const TIMEOUT_MS = 10_000;

/** Lifetime of a token whose response does not state it. */
const DEFAULT_LIFETIME_MS = 600_000;

/** Maximum size of a file with a federated token. */
const MAX_TOKEN_BYTES = 65_536;

const tokenSchema = z.object({
  access_token: z.string().min(1).max(65_536),
  /** Seconds. */
  expires_in: z.coerce.number().optional(),
  /** Seconds since the epoch. */
  expires_on: z.coerce.number().optional(),
});

/** Members of the configuration that select and describe the sign-in. */
export type CredentialConfig = Pick<
  AzureConfig,
  | "auth"
  | "tenant_id"
  | "client_id"
  | "client_secret"
  | "management_url"
  | "login_url"
  | "metadata_url"
>;

/** Reads a variable of the environment. */
export type ReadVariable = (name: string) => string | undefined;

/** Reads the token of a workload identity, which the cluster replaces periodically. */
export async function readFederatedToken(path: string): Promise<string> {
  try {
    return (await readSmallFile(path, MAX_TOKEN_BYTES)).trim();
  } catch (cause) {
    throw new Error(
      `Cannot read the federated token "${path}": ${
        toMessage(cause)
      }, expected the file that the cluster mounts for the workload identity`,
      { cause },
    );
  }
}

/** Signs in as an application. */
export async function signIn(
  { login_url, management_url }: CredentialConfig,
  { tenant, client, form }: {
    readonly tenant: string;
    readonly client: string;
    readonly form: Readonly<Record<string, string>>;
  },
): Promise<AccessToken> {
  const response = await explain(login_url, () =>
    sendRequest({
      method: "POST",
      url: new URL(`/${tenant}/oauth2/v2.0/token`, login_url),
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({
        grant_type: "client_credentials",
        client_id: client,
        scope: `${new URL(management_url).origin}/.default`,
        ...form,
      }).toString(),
      timeoutMs: TIMEOUT_MS,
    }));
  return parseToken(login_url, response, Object.values(form));
}

/** Requests a token of the managed identity of the host: at App Service's endpoint if there is one, else at the metadata service. */
export async function requestIdentityToken(
  { auth, metadata_url, management_url }: CredentialConfig,
  clientId: string | undefined,
  readVariable: ReadVariable,
): Promise<AccessToken> {
  const endpoint = readVariable("IDENTITY_ENDPOINT");
  const header = readVariable("IDENTITY_HEADER") ?? "";
  const url = endpoint === undefined
    ? new URL("/metadata/identity/oauth2/token", metadata_url)
    : new URL(endpoint);
  url.searchParams.set(
    "api-version",
    endpoint === undefined ? "2018-02-01" : "2019-08-01",
  );
  url.searchParams.set("resource", `${new URL(management_url).origin}/`);
  if (clientId !== undefined) url.searchParams.set("client_id", clientId);
  const headers: Record<string, string> = endpoint === undefined
    ? { Metadata: "true" }
    : { "X-IDENTITY-HEADER": header };
  const response = await explain(
    url.origin,
    () => getWithoutProxy({ url, headers, timeoutMs: TIMEOUT_MS }),
    auth === "auto" ? explainAuto : undefined,
  );
  return parseToken(url.origin, response, [header]);
}

async function explain(
  url: string,
  send: () => Promise<HttpResponse>,
  render = (url: string, reason: string) =>
    `Cannot sign in to Azure at "${url}": ${reason}`,
): Promise<HttpResponse> {
  try {
    return await send();
  } catch (cause) {
    throw new Error(render(url, toMessage(cause)), { cause });
  }
}

/** Says why the sign-in asked the host: most hosts outside of Azure have no managed identity, and a pool without credentials is the mistake. */
function explainAuto(url: string, reason: string): string {
  return `Cannot sign in to Azure with auth "auto": no client secret or federated token is configured, and the managed identity of this host at ${url} does not answer (${reason}), expected tenant_id, client_id and client_secret outside of Azure`;
}

function parseToken(
  url: string,
  response: HttpResponse,
  secrets: readonly string[],
): AccessToken {
  if (response.status !== 200) {
    const cause = new ArmError(response, secrets);
    throw new Error(`Cannot sign in to Azure at "${url}": ${cause.message}`, {
      cause,
    });
  }
  const parsed = tokenSchema.safeParse(parseJson(response.text));
  if (!parsed.success) {
    throw new Error(
      `Cannot sign in to Azure at "${url}": its response has no token`,
    );
  }
  const { access_token, expires_in, expires_on } = parsed.data;
  const lifetimeMs = expires_in !== undefined
    ? expires_in * 1_000
    : expires_on !== undefined
    ? expires_on * 1_000 - Date.now()
    : DEFAULT_LIFETIME_MS;
  return { value: access_token, lifetimeMs: Math.max(0, lifetimeMs) };
}
