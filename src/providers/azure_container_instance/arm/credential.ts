/**
 * Sign-in to Azure: an application with a secret, an application with a federated token, or the managed identity of the
 * host.
 *
 * @see {@link https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-client-creds-grant-flow Client credentials}
 * @see {@link https://learn.microsoft.com/en-us/entra/identity/managed-identities-azure-resources/how-to-use-vm-token Managed identities}
 * @module
 */
import type { AzureConfig } from "../config.ts";
import {
  type CredentialConfig,
  readFederatedToken,
  type ReadVariable,
  requestIdentityToken,
  signIn,
} from "./sign_in.ts";
import type { AccessToken, TokenRequest } from "./token_source.ts";
import { requireTrustedHosts } from "./trusted_hosts.ts";

/** The sign-in of a pool. */
export interface Credential {
  readonly kind: Exclude<AzureConfig["auth"], "auto">;
  readonly request: TokenRequest;
}

/**
 * Selects the sign-in by the configuration, then by the usual variables of the environment. Credentials of this host
 * are used only at hosts that it trusts.
 *
 * @throws {Error} If a part of the selected sign-in is missing, or if credentials of this host would reach another host.
 */
export function selectCredential(
  config: CredentialConfig,
  readVariable: ReadVariable,
): Credential {
  const kind = selectKind(config, readVariable);
  const client = config.client_id ?? readVariable("AZURE_CLIENT_ID");
  if (kind === "managed_identity") {
    requireTrustedHosts(
      config,
      ["management_url", "metadata_url"],
      readVariable,
    );
    return {
      kind,
      request: () => requestIdentityToken(config, client, readVariable),
    };
  }
  const isOfPool = kind === "client_secret" &&
    config.client_secret !== undefined;
  const application = requireParts(kind, {
    tenant: config.tenant_id ?? readVariable("AZURE_TENANT_ID"),
    client,
    proof: isOfPool
      ? config.client_secret
      : readVariable(PARTS[kind].proof.variable),
  });
  if (!isOfPool) {
    requireTrustedHosts(config, ["login_url", "management_url"], readVariable);
  }
  return { kind, request: () => signInAs(kind, application, config) };
}

function selectKind(
  { auth, client_secret }: CredentialConfig,
  readVariable: ReadVariable,
): Credential["kind"] {
  if (auth !== "auto") return auth;
  const { client_secret: secret, workload_identity: workload } = PARTS;
  if (client_secret ?? readVariable(secret.proof.variable)) {
    return "client_secret";
  }
  return readVariable(workload.proof.variable)
    ? "workload_identity"
    : "managed_identity";
}

type ApplicationKind = Exclude<Credential["kind"], "managed_identity">;

/** An application, and the secret or the path of the token that proves it. */
interface Application {
  readonly tenant: string;
  readonly client: string;
  readonly proof: string;
}

async function signInAs(
  kind: ApplicationKind,
  { tenant, client, proof }: Application,
  config: CredentialConfig,
): Promise<AccessToken> {
  const form = kind === "client_secret" ? { client_secret: proof } : {
    client_assertion_type:
      "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    client_assertion: await readFederatedToken(proof),
  };
  return await signIn(config, { tenant, client, form });
}

interface Part {
  /** Option of the pool; absent for what only the environment has. */
  readonly option?: string;
  readonly variable: string;
}

const TENANT: Part = { option: "tenant_id", variable: "AZURE_TENANT_ID" };
const CLIENT: Part = { option: "client_id", variable: "AZURE_CLIENT_ID" };

const PARTS: Readonly<
  Record<ApplicationKind, Readonly<Record<keyof Application, Part>>>
> = {
  client_secret: {
    tenant: TENANT,
    client: CLIENT,
    proof: { option: "client_secret", variable: "AZURE_CLIENT_SECRET" },
  },
  workload_identity: {
    tenant: TENANT,
    client: CLIENT,
    // A pool that names files of this host could read any of them.
    proof: { variable: "AZURE_FEDERATED_TOKEN_FILE" },
  },
};

function requireParts(
  kind: ApplicationKind,
  { tenant, client, proof }: {
    readonly [K in keyof Application]: string | undefined;
  },
): Application {
  if (tenant && client && proof) return { tenant, client, proof };
  const parts = PARTS[kind];
  const missing = [
    ...(tenant ? [] : [parts.tenant]),
    ...(client ? [] : [parts.client]),
    ...(proof ? [] : [parts.proof]),
  ].map(({ option, variable }) => option ?? variable);
  const all = [parts.tenant, parts.client, parts.proof];
  throw new Error(
    `Cannot sign in to Azure with auth "${kind}": ${
      missing.join(" and ")
    } missing, expected ${
      all.flatMap(({ option }) => option ?? []).join(", ")
    } in the pool's configuration or ${
      all.map(({ variable }) => variable).join(", ")
    } in the environment`,
  );
}
