import { z } from "zod";
import { truncate } from "../../../core/text.ts";
import type { HttpResponse } from "./http.ts";
import { parseJson } from "./parse_json.ts";
import { MIN_RETRY_MS, readRetryAfterMs } from "./retry_after.ts";

/** Maximum length of a message of Azure in an error. */
const MAX_MESSAGE = 500;

/** The error of Azure's API, and the one of its sign-in. */
const errorSchema = z.union([
  z.object({ error: z.object({ code: z.string(), message: z.string() }) }),
  z.object({ error: z.string(), error_description: z.string() }),
]);

/** Code of a subscription that has never used Azure Container Instances. */
const UNREGISTERED = "MissingSubscriptionRegistration";

/** Ends of messages that say what an operator can do, by the code of the error. */
const ADVICE: Readonly<Record<string, string>> = {
  AuthorizationFailed:
    'a role for the resource group that allows it, such as "Azure Container Instances Contributor Role"',
  ContainerGroupQuotaReached:
    "room in the quota of the location: delete groups, choose another location, or request more",
  invalid_client:
    "a valid client_secret, or a federated credential, of the application in client_id",
  InaccessibleImage:
    "an image that Azure can pull: check image_prefix and the credentials of the registry",
  [UNREGISTERED]:
    "a registered provider: az provider register --namespace Microsoft.ContainerInstance",
};

/** A response of Azure that reports a failure. */
export class ArmError extends Error {
  override readonly name = "ArmError";
  readonly status: number;
  /** Code of Azure, such as `ContainerGroupQuotaReached`; empty if there is none. */
  readonly code: string;
  /** Pause that Azure asks for, in milliseconds, and at least {@linkcode MIN_RETRY_MS}. */
  readonly retryAfterMs: number | undefined;

  /** @param secrets Texts that the message must not contain, if the response repeats them. */
  constructor(response: HttpResponse, secrets: readonly string[]) {
    const { code, message } = parseError(response.text);
    const shown = removeSecrets(message, secrets);
    const said = [`it responds with ${response.status}`, truncate(code, 100)]
      .concat(shown).filter((part) => part !== "").join(" ");
    const advice = ADVICE[code];
    super(advice === undefined ? said : `${said}, expected ${advice}`);
    this.status = response.status;
    this.code = code;
    const pause = readRetryAfterMs(response.headers);
    this.retryAfterMs = pause && Math.max(MIN_RETRY_MS, pause);
  }

  /** True if the same request fails until an operator or the use of the subscription changes. */
  get isPermanent(): boolean {
    return this.isQuota || this.code === UNREGISTERED;
  }

  /** True if a limit of the subscription is reached, which a repetition within seconds does not change. */
  get isQuota(): boolean {
    return /quota/i.test(this.code) ||
      this.status === 503 && /quota/i.test(this.message);
  }
}

function parseError(
  text: string,
): { readonly code: string; readonly message: string } {
  const { success, data } = errorSchema.safeParse(parseJson(text));
  if (!success) return { code: "", message: shorten(text) };
  return "error_description" in data
    ? { code: data.error, message: shorten(data.error_description) }
    : { code: data.error.code, message: shorten(data.error.message) };
}

function shorten(text: string): string {
  return truncate(text.replaceAll(/\s+/g, " ").trim(), MAX_MESSAGE);
}

function removeSecrets(text: string, secrets: readonly string[]): string {
  return secrets.filter((secret) => secret !== "").reduce(
    (shown, secret) => shown.replaceAll(secret, "\u2026"),
    text,
  );
}
