import type { VNode } from "preact";
import type { SessionWire } from "../../../client/client.ts";
import { shortenId } from "../format.ts";
import { buildHref } from "../routing.ts";
import { Badge } from "../ui/badge.tsx";
import { Table } from "../ui/section.tsx";
import { Age, Span } from "../ui/time.tsx";
import type { Places } from "./use_places.ts";

/** A page of sessions. */
export function SessionTable(
  { sessions, places }: {
    readonly sessions: readonly SessionWire[];
    readonly places: Places;
  },
): VNode {
  const names = new Map(
    [...places.pools, ...places.workers].map(({ id, name }) => [id, name]),
  );
  return (
    <div class="panel">
      <Table
        label="Sessions"
        head={[
          { title: "Session" },
          { title: "Status" },
          { title: "Browser", className: "wide" },
          ...(places.pools.length > 0
            ? [
              { title: "Pool", className: "wide" },
              { title: "Worker", className: "wide" },
            ]
            : []),
          { title: "Labels", className: "wide" },
          { title: "Age", className: "number" },
          { title: "Ran", className: "number" },
          { title: "Reason", className: "wide" },
        ]}
      >
        {sessions.map((session) => (
          <SessionRow
            key={session.id}
            session={session}
            pool={names.get(session.work_pool_id)}
            worker={names.get(session.worker_id ?? "")}
            hasPlaces={places.pools.length > 0}
          />
        ))}
      </Table>
    </div>
  );
}

function SessionRow(
  { session, pool = "\u2013", worker = "\u2013", hasPlaces }: {
    readonly session: SessionWire;
    readonly pool: string | undefined;
    readonly worker: string | undefined;
    readonly hasPlaces: boolean;
  },
): VNode {
  const { started_at, ended_at, status_reason } = session;
  return (
    <tr>
      <td>
        <a class="id" href={buildHref(`sessions/${session.id}`)}>
          {shortenId(session.id)}
        </a>
      </td>
      <td>
        <Badge status={session.status} />
      </td>
      <td class="wide nowrap">
        {session.browser} {session.version}{" "}
        {session.headless || <span class="dim">window</span>}
      </td>
      {hasPlaces && <td class="wide nowrap">{pool}</td>}
      {hasPlaces && <td class="wide nowrap">{worker}</td>}
      <td class="wide labels">
        <Labels labels={session.labels} />
      </td>
      <td class="number nowrap">
        <Age at={session.created_at} />
      </td>
      <td class="number nowrap">
        {started_at === null
          ? "\u2013"
          : <Span from={started_at} to={ended_at} isShort />}
      </td>
      <td class="wide reason">
        <span class="clamped" title={status_reason ?? ""}>{status_reason}</span>
      </td>
    </tr>
  );
}

/** Labels of a session, each a link to the sessions that have it. */
export function Labels(
  { labels }: { readonly labels: SessionWire["labels"] },
): VNode {
  return (
    <>
      {Object.entries(labels).map(([name, value]) => (
        <a
          key={name}
          class="label"
          href={buildHref("sessions", { label: `${name}=${value}` })}
        >
          {name}={value}
        </a>
      ))}
    </>
  );
}
