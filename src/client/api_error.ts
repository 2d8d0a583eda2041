import { redactKeys } from "../core/redact.ts";

/** A fault of one member of a request. */
export interface ApiFault {
  /** Path of the member, joined with dots; "" for the whole request. */
  readonly path: string;
  /** Reason why the server rejects it. */
  readonly message: string;
}

/** Options of an {@linkcode ApiError}. */
export interface ApiErrorOptions extends ErrorOptions {
  /** Faults of members of the request. @default {none} */
  readonly faults?: readonly ApiFault[];
}

/** A problem that the server responded with, or a missing response (`unreachable`, `timeout`, `unreadable`). */
export class ApiError extends Error {
  /** Name of the error class. */
  override readonly name = "ApiError";
  /** Problem code of the API, or the kind of the missing response. */
  readonly code: string;
  /** HTTP status; 0 if there was no response. */
  readonly status: number;
  /** Faults of members of the request, if the server has listed them: at most 20. */
  readonly faults: readonly ApiFault[];

  /** Creates an error whose message contains no API keys. */
  constructor(
    code: string,
    message: string,
    status: number,
    { faults = [], ...options }: ApiErrorOptions = {},
  ) {
    super(redactKeys(message), options);
    this.faults = faults;
    this.code = code;
    this.status = status;
  }

  /**
   * True if the error shows that no server is running. A timeout does not show it, because a client without network
   * gets none either.
   */
  get isUnavailable(): boolean {
    return [502, 503, 504].includes(this.status) ||
      this.status === 0 && /refused/i.test(listCauses(this));
  }
}

function listCauses(error: Error): string {
  const { cause } = error;
  return cause instanceof Error ? `${cause.message} ${listCauses(cause)}` : "";
}

/** The error of a server that cannot be found or connected to, or is not trusted. */
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
    return "its TLS certificate is not trusted, expected one of an authority that this machine trusts; Deno also trusts the authorities in the file DENO_CERT, Node.js those in NODE_EXTRA_CA_CERTS";
  }
  if (/dns error|getaddrinfo/i.test(text)) {
    return 'its name cannot be resolved, expected the address of a running "browsergrid serve"';
  }
  return 'it does not respond, expected a running "browsergrid serve"';
}

/** The error of a server that does not respond in time. */
export function timedOut(url: string, timeoutMs: number): ApiError {
  return new ApiError(
    "timeout",
    `Cannot wait any longer for the server at "${url}": it did not respond, expected a response within ${
      timeoutMs / 1_000
    } seconds`,
    0,
  );
}

/** The error of a response that this version cannot read. */
export function unreadable(
  url: string,
  status: number,
  cause: unknown,
): ApiError {
  return new ApiError(
    "unreadable",
    `Cannot read the response of "${url}": it is not JSON, expected a Browsergrid server`,
    status,
    { cause },
  );
}

/** Returns the error of a response with a problem. */
export async function toApiError(response: Response): Promise<ApiError> {
  const text = await response.text();
  try {
    const { code, detail, faults } = parseProblem(JSON.parse(text));
    const hint = code === "unauthorized"
      ? "; give it with BROWSERGRID_API_KEY or --api-key"
      : "";
    return new ApiError(code, detail + hint, response.status, { faults });
  } catch (cause) {
    return unreadable(response.url, response.status, cause);
  }
}

/** Parses without a library, because the client has no dependencies. */
function parseProblem(
  json: unknown,
): {
  readonly code: string;
  readonly detail: string;
  readonly faults: readonly ApiFault[];
} {
  if (
    typeof json === "object" && json !== null &&
    "code" in json && typeof json.code === "string" &&
    "detail" in json && typeof json.detail === "string"
  ) {
    const { code, detail } = json;
    return { code, detail, faults: parseFaults(json) };
  }
  throw new TypeError("The response is not a problem of a Browsergrid server");
}

/** Returns the faults in the member `errors` of a problem; what has another form is left out. */
function parseFaults(problem: object): readonly ApiFault[] {
  if (!("errors" in problem) || !Array.isArray(problem.errors)) return [];
  return problem.errors.flatMap((fault: unknown) =>
    typeof fault === "object" && fault !== null &&
      "path" in fault && typeof fault.path === "string" &&
      "message" in fault && typeof fault.message === "string"
      ? [{ path: fault.path, message: fault.message }]
      : []
  );
}
