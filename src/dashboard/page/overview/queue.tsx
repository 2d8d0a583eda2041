import type { VNode } from "preact";
import { buildCreateCommand } from "../sessions/snippets.ts";
import { formatCount, shortenId } from "../format.ts";
import { buildHref } from "../routing.ts";
import { Empty } from "../ui/notice.tsx";
import { Table } from "../ui/section.tsx";
import { Age } from "../ui/time.tsx";
import type { GridState } from "./grid_state.ts";

/** Most sessions that are shown. */
const MAX_SHOWN = 5;

/** Sessions that wait, in the order in which they start, each with the reason. */
export function Queue({ state }: { readonly state: GridState }): VNode {
  const { queue, counts, pools } = state;
  const names = new Map(pools.map(({ pool }) => [pool.id, pool.name]));
  const isUnused = Object.values(counts).every((count) => count === 0);
  if (queue.length === 0 && isUnused) {
    return (
      <Empty
        title="No live session"
        command={buildCreateCommand()}
      >
        Request a browser over HTTP, or connect a client:
      </Empty>
    );
  }
  if (queue.length === 0) return <Empty title="No session waits" />;
  const rest = counts.pending - Math.min(queue.length, MAX_SHOWN);
  return (
    <>
      <Table
        label="Sessions that wait"
        head={[
          { title: "Place", className: "number" },
          { title: "Session" },
          { title: "Waits", className: "number" },
          { title: "Reason" },
        ]}
      >
        {queue.slice(0, MAX_SHOWN).map(({ session, place }) => (
          <tr key={session.id}>
            <td class="number">{place ?? "\u2013"}</td>
            <td>
              <a class="id" href={buildHref(`sessions/${session.id}`)}>
                {shortenId(session.id)}
              </a>
              <div class="dim nowrap">{names.get(session.work_pool_id)}</div>
            </td>
            <td class="number nowrap">
              <Age at={session.created_at} />
            </td>
            <td class="reason">{session.status_reason}</td>
          </tr>
        ))}
      </Table>
      {rest > 0 && <p class="dim more">and {formatCount(rest)} more</p>}
    </>
  );
}
