import { z } from "zod";

/** Credentials that a contract server accepts. */
export const CREDENTIALS = {
  tenant_id: "00000000-0000-4000-8000-000000000001",
  client_id: "00000000-0000-4000-8000-000000000002",
  client_secret: "planted-client-secret-1",
  federated_token: "planted.federated.token-2",
  identity_header: "planted-identity-header-3",
} as const;

const formSchema = z.union([
  z.strictObject({
    grant_type: z.literal("client_credentials"),
    client_id: z.string(),
    scope: z.string(),
    client_secret: z.string(),
  }),
  z.strictObject({
    grant_type: z.literal("client_credentials"),
    client_id: z.string(),
    scope: z.string(),
    client_assertion_type: z.literal(
      "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    ),
    client_assertion: z.string(),
  }),
]);

/** A response of a contract server. */
export interface Reply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The three sign-ins of a contract server, and the tokens that they have issued. */
export class Tokens {
  /** Lifetime of new tokens in seconds. */
  lifetimeSeconds = 3_600;
  /** Sign-ins so far, in order. */
  readonly issued: ("client_secret" | "assertion" | "imds" | "endpoint")[] = [];
  readonly #valid = new Set<string>();

  /** Reports whether a request has a valid token. */
  accepts(authorization: string | undefined): boolean {
    return this.#valid.has(authorization?.replace(/^Bearer /, "") ?? "");
  }

  /** Makes all tokens invalid. */
  revoke(): void {
    this.#valid.clear();
  }

  /** Lists the tokens that were issued and are valid. */
  list(): readonly string[] {
    return [...this.#valid];
  }

  /** Responds to `POST /TENANT/oauth2/v2.0/token`. */
  signIn(tenant: string, body: string, origin: string): Reply {
    const form = formSchema.safeParse(
      Object.fromEntries(new URLSearchParams(body)),
    );
    if (tenant !== CREDENTIALS.tenant_id) {
      return reject(
        "invalid_request",
        `AADSTS90002: Tenant '${tenant}' not found`,
      );
    }
    if (!form.success || form.data.scope !== `${origin}/.default`) {
      return reject(
        "invalid_request",
        "AADSTS900144: the request is malformed",
      );
    }
    const { data } = form;
    const isSecret = "client_secret" in data;
    const isValid = data.client_id === CREDENTIALS.client_id &&
      (isSecret
        ? data.client_secret === CREDENTIALS.client_secret
        : data.client_assertion === CREDENTIALS.federated_token);
    if (!isValid) {
      return reject(
        "invalid_client",
        // A hostile endpoint may repeat what it has received.
        `AADSTS7000215: Invalid client secret provided. Received: ${body} ${
          isSecret ? data.client_secret : data.client_assertion
        }`,
      );
    }
    this.issued.push(isSecret ? "client_secret" : "assertion");
    return this.#issue({ expires_in: this.lifetimeSeconds });
  }

  /** Responds to a request to the metadata service. */
  imds(url: URL, headers: Headers, origin: string): Reply {
    const isValid = headers.get("metadata") === "true" &&
      headers.get("x-forwarded-for") === null &&
      url.searchParams.get("api-version") === "2018-02-01" &&
      url.searchParams.get("resource") === `${origin}/`;
    if (!isValid) return { status: 400, body: { error: "invalid_request" } };
    this.issued.push("imds");
    return this.#issue({
      expires_in: String(this.lifetimeSeconds),
      expires_on: String(Math.floor(Date.now() / 1_000) + this.lifetimeSeconds),
    });
  }

  /** Responds to a request to the identity endpoint of App Service and Container Apps. */
  identityEndpoint(url: URL, headers: Headers, origin: string): Reply {
    const isValid =
      headers.get("x-identity-header") === CREDENTIALS.identity_header &&
      url.searchParams.get("api-version") === "2019-08-01" &&
      url.searchParams.get("resource") === `${origin}/`;
    if (!isValid) return { status: 401, body: { error: "unauthorized" } };
    this.issued.push("endpoint");
    return this.#issue({
      expires_on: String(Math.floor(Date.now() / 1_000) + this.lifetimeSeconds),
    });
  }

  #issue(times: Readonly<Record<string, unknown>>): Reply {
    const token = `planted-token-${crypto.randomUUID()}`;
    this.#valid.add(token);
    return {
      status: 200,
      body: { token_type: "Bearer", access_token: token, ...times },
    };
  }
}

function reject(error: string, error_description: string): Reply {
  return { status: 401, body: { error, error_description } };
}
