import type { VNode } from "preact";
import type { WebhookWire } from "../../../client/client.ts";
import { client } from "../api/client.ts";
import { useResource } from "../live/use_resource.ts";
import { buildHref, url } from "../routing.ts";
import { Badge } from "../ui/badge.tsx";
import { Empty, Fault, Loading } from "../ui/notice.tsx";
import { Pages } from "../ui/pages.tsx";
import { Table } from "../ui/section.tsx";
import { Age } from "../ui/time.tsx";
import { findWebhookStatus } from "./webhook_status.ts";

const PAGE_SIZE = 50;

const REFRESH_MS = 10_000;

/** The list of webhooks, newest first. */
export function WebhooksPage(): VNode {
  const cursor = url.value.searchParams.get("cursor") ?? undefined;
  const { value, error } = useResource(
    cursor ?? "",
    (signal) => client.listWebhooks({ cursor, limit: PAGE_SIZE }, { signal }),
    {
      changesBy: ({ type }) => type.startsWith("webhook."),
      everyMs: REFRESH_MS,
    },
  );
  return (
    <>
      <div class="heading">
        <h1>Webhooks</h1>
        <div class="actions">
          <a class="button primary" href={buildHref("webhooks/new")}>
            Create webhook
          </a>
        </div>
      </div>
      <Fault message={error} />
      {value
        ? (
          <div class="panel">
            <WebhookTable webhooks={value.items} />
          </div>
        )
        : error === undefined && <Loading />}
      <Pages cursor={cursor} next={value?.next_cursor ?? undefined} />
    </>
  );
}

function WebhookTable(
  { webhooks }: { readonly webhooks: readonly WebhookWire[] },
): VNode {
  if (webhooks.length === 0) {
    return (
      <Empty title="There is no webhook">
        A webhook sends events of the grid to a URL of yours, such as each
        session that crashed or a queue that is long.{" "}
        <a href={buildHref("webhooks/new")}>Create one</a>, then send a test.
      </Empty>
    );
  }
  return (
    <Table
      label="Webhooks"
      head={[
        { title: "Webhook" },
        { title: "Status" },
        { title: "Events" },
        { title: "URL", className: "wide" },
        { title: "Failures", className: "number wide" },
        { title: "Created", className: "wide" },
      ]}
    >
      {webhooks.map((webhook) => (
        <tr key={webhook.id}>
          <td>
            <a href={buildHref(`webhooks/${webhook.id}`)}>{webhook.name}</a>
          </td>
          <td>
            <Badge status={findWebhookStatus(webhook)} />
          </td>
          <td class="breaking">{webhook.event_pattern}</td>
          <td class="wide breaking">{webhook.url}</td>
          <td class="number wide">{webhook.failures || "\u2013"}</td>
          <td class="wide nowrap">
            <Age at={webhook.created_at} suffix=" ago" />
          </td>
        </tr>
      ))}
    </Table>
  );
}
