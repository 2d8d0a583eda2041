import { redactKeys } from "../core/redact.ts";

/** A refusal of the server, or that there was no answer (`unreachable`, `timeout`, `unreadable`). */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: string;
  /** HTTP status; 0 if there was no answer. */
  readonly status: number;

  constructor(
    code: string,
    message: string,
    status: number,
    options?: ErrorOptions,
  ) {
    super(redactKeys(message), options);
    this.code = code;
    this.status = status;
  }

  /** Whether it shows that no server is there now. Silence does not: whoever is cut off hears nothing either. */
  get isUnavailable(): boolean {
    return [502, 503, 504].includes(this.status) ||
      this.status === 0 && /refused/i.test(listCauses(this));
  }
}

function listCauses(error: Error): string {
  const { cause } = error;
  return cause instanceof Error ? `${cause.message} ${listCauses(cause)}` : "";
}

/** The error for a server that does not answer, cannot be found, or is not trusted. */
export function unreachable(url: string, cause: unknown): ApiError {
  return new ApiError(
    "unreachable",
    `Cannot reach the server at "${url}": ${explainFailure(cause)}`,
    0,
    { cause },
  );
}

function explainFailure(cause: unknown): string {
  const text = cause instanceof Error ? cause.message + listCauses(cause) : "";
  if (/certificate/i.test(text)) {
    return "its TLS certificate is not trusted, expected one of an authority that this machine trusts; Deno trusts that of the file in DENO_CERT too, Node.js that in NODE_EXTRA_CA_CERTS";
  }
  if (/dns error|getaddrinfo/i.test(text)) {
    return 'its name cannot be resolved, expected the address of a running "browsergrid serve"';
  }
  return 'there is no answer, expected a running "browsergrid serve"';
}

/** The error for a server that gives no answer in time. */
export function timedOut(url: string, timeoutMs: number): ApiError {
  return new ApiError(
    "timeout",
    `Cannot wait any longer for the server at "${url}": there is no answer, expected one within ${
      timeoutMs / 1_000
    } seconds`,
    0,
  );
}

/** The error for an answer that is not what this version understands. */
export function unreadable(
  url: string,
  status: number,
  cause: unknown,
): ApiError {
  return new ApiError(
    "unreadable",
    `Cannot read the answer of "${url}": it is not JSON, expected a Browsergrid server`,
    status,
    { cause },
  );
}

/** The error that a refusal stands for. */
export async function toApiError(response: Response): Promise<ApiError> {
  const text = await response.text();
  try {
    const { code, detail } = parseProblem(JSON.parse(text));
    const hint = code === "unauthorized"
      ? "; give it with BROWSERGRID_API_KEY or --api-key"
      : "";
    return new ApiError(code, detail + hint, response.status);
  } catch (cause) {
    return unreadable(response.url, response.status, cause);
  }
}

/** By hand, because the client has no dependencies: other programs take it as it is. */
function parseProblem(
  json: unknown,
): { readonly code: string; readonly detail: string } {
  if (
    typeof json === "object" && json !== null &&
    "code" in json && typeof json.code === "string" &&
    "detail" in json && typeof json.detail === "string"
  ) {
    return { code: json.code, detail: json.detail };
  }
  throw new TypeError("It is no problem of a Browsergrid server");
}
