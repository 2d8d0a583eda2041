import type { VNode } from "preact";
import { useState } from "preact/hooks";
import type {
  NewWebhookWire,
  PoolWire,
  WebhookWire,
} from "../../../client/client.ts";
import { client, transport } from "../api/client.ts";
import { loadBodySchema, restrictSchema } from "../forms/api_schemas.ts";
import { withChoices } from "../forms/choices.ts";
import type { JsonSchema } from "../forms/json_schema.ts";
import { type FieldGroup, SchemaForm } from "../forms/schema_form.tsx";
import type { Values } from "../forms/values.ts";
import { useOnce } from "../live/use_once.ts";
import { buildHref, navigate } from "../routing.ts";
import { Fault, Loading } from "../ui/notice.tsx";
import { SecretOnce } from "../ui/secret_once.tsx";

const MAX_POOLS = 500;

const GROUPS: readonly FieldGroup[] = [
  { title: "Webhook", fields: ["name", "url", "description"] },
  {
    title: "Events",
    fields: [
      "template",
      "event_pattern",
      "queue_longer_than",
      "filters",
      "work_pool_id",
      "session_id",
      "labels",
    ],
  },
  {
    title: "Delivery",
    fields: [
      "timeout_seconds",
      "max_attempts",
      "include_connect_url",
      "headers",
      "active",
    ],
    isOptional: true,
  },
];

/** Fields of the problems that name no member. */
const FIELD_BY_CODE = {
  webhook_target_rejected: "url",
  webhook_events_rejected: "event_pattern",
  pool_not_found: "work_pool_id",
  session_not_found: "session_id",
};

/** Texts of choices that are not set. */
const TITLES = {
  template: { "": "None: by event pattern" },
  work_pool_id: { "": "Every pool" },
};

const QUEUE_TEMPLATE = "queue_longer_than";

const QUEUE_PATTERN = "pool.queue_long";

/** Returns the fields that have no effect with these values. */
function findHidden({ template, event_pattern }: Values): readonly string[] {
  const isOfBrowser = String(event_pattern ?? "").startsWith("cdp:");
  const isOfQueue = template === QUEUE_TEMPLATE ||
    event_pattern === QUEUE_PATTERN;
  return [
    ...(template === undefined ? [] : ["event_pattern"]),
    ...(template === undefined && isOfBrowser ? [] : ["filters"]),
    ...(isOfQueue ? [] : ["queue_longer_than"]),
  ];
}

/** The form of a new webhook. Its secret is shown once after it is created. */
export function NewWebhookPage(): VNode {
  const { value, error } = useOnce(loadNew);
  const [created, setCreated] = useState<NewWebhookWire>();
  if (created) {
    return (
      <>
        <h1>Webhook {created.name}</h1>
        <SecretOnce title="Copy the secret now" secret={created.secret}>
          It is not shown again. The receiver verifies with it that a request
          comes from this grid.
        </SecretOnce>
        <p>
          <a
            class="button primary"
            href={buildHref(`webhooks/${created.id}`)}
          >
            Go on to the webhook
          </a>
        </p>
      </>
    );
  }
  return (
    <>
      <h1>New webhook</h1>
      <Fault message={error} />
      {value
        ? (
          <SchemaForm
            schema={value}
            groups={GROUPS}
            titles={TITLES}
            findHidden={findHidden}
            fieldByCode={FIELD_BY_CODE}
            label="Create webhook"
            cancelHref={buildHref("webhooks")}
            send={async (body) =>
              setCreated(
                await transport.json<NewWebhookWire>("POST", "/v1/webhooks", {
                  body,
                }),
              )}
          />
        )
        : error === undefined && <Loading />}
    </>
  );
}

async function loadNew(): Promise<JsonSchema> {
  const [schema, { items: pools }] = await Promise.all([
    loadBodySchema("createWebhook"),
    client.listPools({ limit: MAX_POOLS }),
  ]);
  return offerPools(schema, pools);
}

function offerPools(
  schema: JsonSchema,
  pools: readonly PoolWire[],
): JsonSchema {
  return withChoices(schema, { work_pool_id: pools.map(({ name }) => name) });
}

/** The form that changes a webhook. */
export function EditWebhookPage({ id }: { readonly id: string }): VNode {
  const { value, error } = useOnce(() => loadWebhook(id));
  const href = buildHref(`webhooks/${id}`);
  return (
    <>
      <h1>Edit webhook {value?.webhook.name}</h1>
      <Fault message={error} />
      {value
        ? (
          <SchemaForm
            schema={value.schema}
            current={value.webhook}
            groups={GROUPS}
            titles={TITLES}
            findHidden={findHidden}
            fieldByCode={FIELD_BY_CODE}
            without={["active"]}
            label="Save"
            cancelHref={href}
            send={async (body) => {
              await client.patchWebhook(id, body);
              navigate(href);
            }}
          />
        )
        : error === undefined && <Loading />}
    </>
  );
}

async function loadWebhook(
  id: string,
): Promise<{ readonly webhook: WebhookWire; readonly schema: JsonSchema }> {
  const [schema, change, webhook] = await Promise.all([
    loadBodySchema("createWebhook"),
    loadBodySchema("patchWebhook"),
    client.getWebhook(id),
  ]);
  return { webhook, schema: restrictSchema(schema, change) };
}
