import type { VNode } from "preact";
import { useState } from "preact/hooks";
import type { PoolWire, WebhookWire } from "../../../client/client.ts";
import { client } from "../api/client.ts";
import { formatFieldTitle } from "../field_titles.ts";
import { useResource } from "../live/use_resource.ts";
import { buildHref, navigate } from "../routing.ts";
import { ActionButton } from "../ui/action_button.tsx";
import { Badge } from "../ui/badge.tsx";
import { ConfirmButton } from "../ui/confirm_button.tsx";
import { Fault, Loading } from "../ui/notice.tsx";
import { SecretOnce } from "../ui/secret_once.tsx";
import { Section } from "../ui/section.tsx";
import { Age, Moment } from "../ui/time.tsx";
import { Deliveries } from "./deliveries.tsx";
import { findWebhookStatus, STOP_REASONS } from "./webhook_status.ts";

const REFRESH_MS = 5_000;

const MAX_POOLS = 500;

interface Loaded {
  readonly webhook: WebhookWire;
  readonly pools: readonly PoolWire[];
}

/** A webhook: its state, its deliveries and its fields. */
export function WebhookPage({ id }: { readonly id: string }): VNode {
  const [secret, setSecret] = useState<string>();
  const [sent, setSent] = useState(0);
  const { value, error, reload } = useResource(
    id,
    (signal) => load(id, signal),
    {
      changesBy: ({ type }) => type.startsWith("webhook."),
      everyMs: REFRESH_MS,
    },
  );
  if (!value) {
    return (
      <>
        <h1>Webhook</h1>
        {error === undefined ? <Loading /> : <Fault message={error} />}
        <a href={buildHref("webhooks")}>All webhooks</a>
      </>
    );
  }
  const { webhook, pools } = value;
  return (
    <>
      <div class="heading">
        <div>
          <h1>
            {webhook.name} <Badge status={findWebhookStatus(webhook)} />
          </h1>
          {webhook.description !== "" && <p>{webhook.description}</p>}
        </div>
        <Actions
          webhook={webhook}
          onChange={reload}
          onSent={() => setSent(sent + 1)}
          onSecret={setSecret}
        />
      </div>
      <Fault message={error} />
      {secret !== undefined && (
        <SecretOnce title="Copy the new secret now" secret={secret}>
          It is not shown again. Until the receiver has it, requests also have a
          signature with the previous secret, for 24 hours.
        </SecretOnce>
      )}
      <StateLine webhook={webhook} />
      <Deliveries id={id} sent={sent} isActive={webhook.active} />
      <Section title="Fields">
        <WebhookFields webhook={webhook} pools={pools} />
      </Section>
    </>
  );
}

async function load(id: string, signal: AbortSignal): Promise<Loaded> {
  const [webhook, { items: pools }] = await Promise.all([
    client.getWebhook(id, { signal }),
    client.listPools({ limit: MAX_POOLS }, { signal }),
  ]);
  return { webhook, pools };
}

/** A sentence on why nothing is sent, or why attempts fail. */
function StateLine({ webhook }: { readonly webhook: WebhookWire }) {
  const { active, inactive_reason, failing_since, failures } = webhook;
  if (!active) {
    return (
      <p class="reason-line pending">
        {STOP_REASONS[inactive_reason ?? "requested"]}
      </p>
    );
  }
  if (failing_since === null) return null;
  return (
    <p class="reason-line failed">
      The last {failures === 1 ? "attempt" : `${failures} attempts`}{" "}
      failed, since{" "}
      <Age at={failing_since} />. The deliveries below say why. After five days
      without success, nothing is sent any more.
    </p>
  );
}

function Actions(
  { webhook: { id, name, active }, onChange, onSent, onSecret }: {
    readonly webhook: WebhookWire;
    readonly onChange: () => void;
    readonly onSent: () => void;
    readonly onSecret: (secret: string) => void;
  },
): VNode {
  async function setActive(next: boolean): Promise<void> {
    await client.patchWebhook(id, { active: next });
    onChange();
  }
  return (
    <div class="actions">
      {active
        ? (
          <>
            <ActionButton
              className="primary"
              act={async () => {
                await client.testWebhook(id);
                onSent();
              }}
            >
              Send a test
            </ActionButton>
            <ConfirmButton
              label="Pause"
              title={`Pause webhook "${name}"?`}
              act={() => setActive(!active)}
            >
              Events are not recorded for it until it is activated again, and
              deliveries that wait are not sent.
            </ConfirmButton>
          </>
        )
        : (
          <ActionButton className="primary" act={() => setActive(!active)}>
            Activate
          </ActionButton>
        )}
      <a class="button" href={buildHref(`webhooks/${id}/edit`)}>Edit</a>
      <ConfirmButton
        label="Rotate secret"
        title={`Rotate the secret of webhook "${name}"?`}
        act={async () =>
          onSecret((await client.rotateWebhookSecret(id)).secret)}
      >
        The new secret is shown once. For 24 hours requests also have a
        signature with the previous one.
      </ConfirmButton>
      <ConfirmButton
        label="Delete"
        title={`Delete webhook "${name}"?`}
        isDangerous
        act={async () => {
          await client.deleteWebhook(id);
          navigate(buildHref("webhooks"));
        }}
      >
        Its deliveries are deleted too; those that wait are not sent.
      </ConfirmButton>
    </div>
  );
}

function WebhookFields({ webhook, pools }: Loaded): VNode {
  const pool = pools.find(({ id }) => id === webhook.work_pool_id);
  const rows: readonly (readonly [string, VNode | string | null])[] = [
    ["url", webhook.url],
    ["event_pattern", webhook.event_pattern],
    ["filters", renderFilters(webhook.filters)],
    ["queue_longer_than", webhook.queue_longer_than?.toString() ?? null],
    ["work_pool_id", pool?.name ?? webhook.work_pool_id],
    ["session_id", webhook.session_id],
    ["labels", renderLabels(webhook.labels)],
    ["headers", webhook.headers.join(", ") || null],
    ["timeout_seconds", `${webhook.timeout_seconds} s`],
    ["max_attempts", String(webhook.max_attempts)],
    ["include_connect_url", webhook.include_connect_url ? "yes" : "no"],
    [
      "dropped_events",
      webhook.dropped_events > 0 ? String(webhook.dropped_events) : null,
    ],
    ["created_at", <Moment key="created" at={webhook.created_at} />],
    ["updated_at", <Moment key="updated" at={webhook.updated_at} />],
    ["id", webhook.id],
  ];
  return (
    <dl class="details two">
      {rows.filter(([, value]) => value !== null).map(([name, value]) => (
        <div key={name}>
          <dt>{formatFieldTitle(name)}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function renderFilters(filters: WebhookWire["filters"]): string | null {
  return filters.map(({ path, operator, value }) =>
    `${path} ${operator} ${JSON.stringify(value)}`
  ).join("; ") || null;
}

function renderLabels(labels: WebhookWire["labels"]): string | null {
  return Object.entries(labels).map(([name, value]) => `${name}=${value}`)
    .join(", ") || null;
}
