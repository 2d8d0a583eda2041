import type { VNode } from "preact";
import { useEffect, useId } from "preact/hooks";
import type { DeliveryWire } from "../../../client/client.ts";
import { client } from "../api/client.ts";
import { useResource } from "../live/use_resource.ts";
import { setQuery, url } from "../routing.ts";
import { ActionButton } from "../ui/action_button.tsx";
import { Badge } from "../ui/badge.tsx";
import { Empty, Fault, Loading } from "../ui/notice.tsx";
import { Pages } from "../ui/pages.tsx";
import { Section, Table } from "../ui/section.tsx";
import { Age, Moment } from "../ui/time.tsx";

const PAGE_SIZE = 25;

/** Results of deliveries are no events. */
const REFRESH_MS = 3_000;

const STATUSES = ["pending", "delivered", "failed"] as const;

/** Deliveries of a webhook with the result of their last attempt. @param props `sent` changes after a test was sent. */
export function Deliveries(
  { id, sent, isActive }: {
    readonly id: string;
    readonly sent: number;
    readonly isActive: boolean;
  },
): VNode {
  const { searchParams } = url.value;
  const chosen = searchParams.get("status");
  const status = STATUSES.find((each) => each === chosen);
  const cursor = searchParams.get("cursor") ?? undefined;
  const { value, error, reload } = useResource(
    `${id} ${status} ${cursor}`,
    (signal) =>
      client.listWebhookDeliveries(
        id,
        { status, cursor, limit: PAGE_SIZE },
        { signal },
      ),
    { changesBy: () => true, everyMs: REFRESH_MS },
  );
  useEffect(() => {
    if (sent > 0) reload();
  }, [sent]);
  return (
    <>
      <Section title="Deliveries" aside={<StatusChoice status={status} />}>
        <Fault message={error} />
        {value
          ? value.items.length === 0
            ? <NoDeliveries isFiltered={status !== undefined} />
            : (
              <DeliveryTable
                id={id}
                deliveries={value.items}
                isActive={isActive}
                onChange={reload}
              />
            )
          : error === undefined && <Loading />}
      </Section>
      <Pages cursor={cursor} next={value?.next_cursor ?? undefined} />
    </>
  );
}

function StatusChoice({ status }: { readonly status: string | undefined }) {
  const id = useId();
  return (
    <span class="inline-field">
      <label for={id}>Status</label>
      <select
        id={id}
        value={status ?? ""}
        onChange={({ currentTarget: { value } }) =>
          setQuery({ status: value, cursor: undefined })}
      >
        <option value="">all</option>
        {STATUSES.map((each) => (
          <option key={each} value={each} selected={each === status}>
            {each}
          </option>
        ))}
      </select>
    </span>
  );
}

function NoDeliveries(
  { isFiltered }: { readonly isFiltered: boolean },
): VNode {
  return isFiltered
    ? <Empty title="No delivery has this status" />
    : (
      <Empty title="Nothing was sent yet">
        Send a test to see whether the receiver accepts it. Events are sent when
        they happen.
      </Empty>
    );
}

function DeliveryTable(
  { id, deliveries, isActive, onChange }: {
    readonly id: string;
    readonly deliveries: readonly DeliveryWire[];
    readonly isActive: boolean;
    readonly onChange: () => void;
  },
): VNode {
  return (
    <Table
      label="Deliveries"
      head={[
        { title: "Event" },
        { title: "Status", className: "wide" },
        { title: "Attempts", className: "number wide" },
        { title: "Last response" },
        { title: "Time", className: "wide" },
        { title: "Next attempt", className: "wide" },
        { title: "Actions" },
      ]}
    >
      {deliveries.map((delivery) => (
        <tr key={delivery.id}>
          <td class="breaking">
            {delivery.type}
            <div class="narrow">
              <Badge status={delivery.status} />
            </div>
          </td>
          <td class="wide">
            <Badge status={delivery.status} />
          </td>
          <td class="number wide">{delivery.attempts}</td>
          <td>
            <Result delivery={delivery} />
          </td>
          <td class="wide nowrap">
            <Age at={delivery.timestamp} suffix=" ago" />
          </td>
          <td class="wide nowrap">
            {delivery.next_attempt_at === null
              ? "\u2013"
              : <Moment at={delivery.next_attempt_at} />}
          </td>
          <td>
            {isActive && (
              <ActionButton
                className="small"
                label={`Retry delivery ${delivery.id}`}
                act={async () => {
                  await client.retryWebhookDelivery(id, delivery.id);
                  onChange();
                }}
              >
                Retry
              </ActionButton>
            )}
          </td>
        </tr>
      ))}
    </Table>
  );
}

/** The result of the last attempt, with the start of the response. */
function Result({ delivery }: { readonly delivery: DeliveryWire }) {
  const { attempts, status_code, duration_ms, error, response } = delivery;
  if (attempts === 0 && error === null) {
    return <span class="dim">not sent yet</span>;
  }
  const duration = duration_ms === null ? "" : ` in ${duration_ms} ms`;
  return (
    <details class="result">
      <summary>
        {status_code === null ? "no response" : status_code}
        <span class="wide">{duration}</span>
      </summary>
      {error !== null && <p>{error}</p>}
      {response !== null && response !== "" && (
        <pre class="excerpt" tabIndex={0} aria-label="Response">{response}</pre>
      )}
      <p class="dim">
        {attempts === 1 ? "1 attempt" : `${attempts} attempts`}, message{" "}
        <span class="id">{delivery.message_id}</span>
      </p>
    </details>
  );
}
