/**
 * One attempt of a delivery: a signed POST request by Standard Webhooks.
 *
 * @module
 * @see {@link https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md Standard Webhooks}
 */
import { Webhook } from "standardwebhooks";
import { z } from "zod";
import type { Clock } from "../../../async/clock.ts";
import { truncate } from "../../../core/text.ts";
import { toIsoTime } from "../../../http/wire_form.ts";
import type { WebhookSecrets } from "../secrets.ts";
import type { LeasedDelivery } from "../store/lease.ts";
import { resolveName } from "./resolve_name.ts";
import {
  RequestSender,
  type SendRequest,
  type TargetRequest,
} from "./send_request.ts";
import { type Resolve, resolveTarget, type TargetSettings } from "./target.ts";

/** Maximum length of the message of an error. */
const MAX_ERROR = 500;

/** Dependencies of attempts. */
export interface AttemptContext {
  readonly clock: Pick<Clock, "now" | "monotonic">;
  readonly settings: TargetSettings;
  readonly secrets: WebhookSecrets;
  /** Returns the URL, with a token, by which clients connect to a session. */
  readonly issueConnectUrl: (sessionId: string) => Promise<string>;
  /** Returns the address of the live view for the person of a hand-over; undefined if it has ended. */
  readonly findLiveUrl: (handoverId: string) => Promise<string | undefined>;
  /** @default {resolveName} */
  readonly resolve?: Resolve | undefined;
  readonly send: SendRequest;
}

/** The result of an attempt. */
export interface AttemptResult {
  /** Null without a response. */
  readonly statusCode: number | null;
  readonly response: string | null;
  /** Why there is no successful response; null if there is one. */
  readonly error: string | null;
  readonly durationMs: number;
}

/** Sends deliveries over connections of its own, until disposed. */
export class DeliverySender implements AsyncDisposable {
  readonly #context: AttemptContext;
  readonly #sender = new RequestSender();

  constructor(context: Omit<AttemptContext, "send">) {
    const send = (request: TargetRequest) => this.#sender.send(request);
    this.#context = { ...context, send };
  }

  /** See {@linkcode attemptDelivery}. */
  attempt(
    delivery: LeasedDelivery,
    signal: AbortSignal,
  ): Promise<AttemptResult> {
    return attemptDelivery(delivery, this.#context, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sender[Symbol.asyncDispose]();
  }
}

/** Sends a delivery to its webhook. Never throws. @param signal Ends the attempt. */
export async function attemptDelivery(
  delivery: LeasedDelivery,
  context: AttemptContext,
  signal: AbortSignal,
): Promise<AttemptResult> {
  const { clock, resolve = resolveName, send } = context;
  const startedAt = clock.monotonic();
  const end = (result: Partial<AttemptResult>): AttemptResult => ({
    statusCode: null,
    response: null,
    error: null,
    ...result,
    durationMs: Math.round(clock.monotonic() - startedAt),
  });
  try {
    const url = new URL(delivery.url);
    const body = await renderBody(delivery, context);
    const headers = await buildHeaders(delivery, body, context);
    const address = await resolveTarget(url, { ...context, resolve, signal });
    const { status, text } = await send({
      url,
      address,
      headers,
      body,
      signal,
    });
    const error = status >= 200 && status < 300
      ? null
      : `The receiver responded with ${status}`;
    return end({ statusCode: status, response: text, error });
  } catch (error) {
    return end({ error: describeError(error) });
  }
}

const dataSchema = z.looseObject({
  session: z.looseObject({ id: z.string(), status: z.string() }).optional(),
});

/** Data of a delivery of {@linkcode HANDOVER_REQUESTED}. */
const handoverSchema = z.looseObject({
  event: z.looseObject({ data: z.looseObject({ handover_id: z.string() }) }),
});

/** Type of the event of a request to a person, whose delivery may contain the link for the person. */
const HANDOVER_REQUESTED = "session.handover_requested";

/** Returns the body: the same text in each attempt, except for the token of a connect URL, and the link of a hand-over. */
async function renderBody(
  { type, timestamp, data, includeConnectUrl }: LeasedDelivery,
  { issueConnectUrl, findLiveUrl }: AttemptContext,
): Promise<string> {
  const parsed = dataSchema.parse(JSON.parse(data));
  const { session } = parsed;
  const isConnectable = includeConnectUrl && session?.status === "running";
  const handoverId = type === HANDOVER_REQUESTED
    ? handoverSchema.safeParse(parsed).data?.event.data.handover_id
    : undefined;
  const liveUrl = isConnectable && handoverId !== undefined
    ? await findLiveUrl(handoverId)
    : undefined;
  return JSON.stringify({
    type,
    timestamp: toIsoTime(timestamp),
    data: {
      ...parsed,
      ...(session && isConnectable
        ? {
          session: {
            ...session,
            connect_url: await issueConnectUrl(session.id),
            ...(liveUrl === undefined ? {} : { live_url: liveUrl }),
          },
        }
        : {}),
    },
  });
}

async function buildHeaders(
  delivery: LeasedDelivery,
  body: string,
  { clock, secrets }: AttemptContext,
): Promise<Record<string, string>> {
  const { webhookId, messageId, previousSecretUntil } = delivery;
  const now = clock.now();
  const hasPrevious = previousSecretUntil !== null && previousSecretUntil > now;
  const sealed = [
    delivery.secret,
    ...(hasPrevious ? [delivery.previousSecret] : []),
  ];
  const signatures: string[] = [];
  for (const each of sealed) {
    if (each === null) continue;
    const secret = await secrets.openSecret(each, webhookId);
    signatures.push(new Webhook(secret).sign(messageId, new Date(now), body));
  }
  return {
    ...await secrets.openHeaders(delivery.headers, webhookId),
    "content-type": "application/json",
    "user-agent": "Browsergrid-Webhooks",
    ...(delivery.traceparent === null
      ? {}
      : { traceparent: delivery.traceparent }),
    "webhook-id": messageId,
    "webhook-timestamp": String(Math.floor(now / 1_000)),
    "webhook-signature": signatures.join(" "),
  };
}

/** Describes an error for the owner of the webhook. Names of this network's addresses are in none of them. */
function describeError(error: unknown): string {
  if (!(error instanceof Error)) return "The attempt failed";
  return truncate(error.message.replaceAll("\0", ""), MAX_ERROR);
}
