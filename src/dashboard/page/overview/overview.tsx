import type { VNode } from "preact";
import { useResource } from "../live/use_resource.ts";
import { isAdmin } from "../api/access.ts";
import { PoolTable } from "../pools/pool_table.tsx";
import { listScaled } from "../pools/scaled.ts";
import { buildHref } from "../routing.ts";
import { Fault, Loading } from "../ui/notice.tsx";
import { Section } from "../ui/section.tsx";
import { WorkerTable } from "../workers/worker_table.tsx";
import { useActivity } from "./activity.ts";
import { ActivityChart, EndedCounts } from "./activity_view.tsx";
import { loadGridState } from "./grid_state.ts";
import { Queue } from "./queue.tsx";
import { SessionCounts } from "./session_counts.tsx";

/** Interval of loads without an event: the load of hosts changes without one. */
const REFRESH_MS = 10_000;

/** The first page: the grid at a glance. */
export function Overview(): VNode {
  const { value, error } = useResource("grid", loadGridState, {
    changesBy: ({ type }) => /^(session|pool|worker)\./.test(type),
    everyMs: REFRESH_MS,
  });
  const activity = useActivity();
  if (!value) {
    return (
      <>
        <h1>Overview</h1>
        {error === undefined ? <Loading /> : <Fault message={error} />}
      </>
    );
  }
  return (
    <>
      <h1>Overview</h1>
      <Fault message={error} />
      <SessionCounts state={value} activity={activity} />
      <div class="columns">
        <Section
          title="Last hour"
          aside={activity && <EndedCounts activity={activity} />}
        >
          {activity ? <ActivityChart activity={activity} /> : <Loading />}
        </Section>
        <Section
          title="Queue"
          aside={
            <a href={buildHref("sessions", { status: "pending" })}>
              All pending
            </a>
          }
        >
          <Queue state={value} />
        </Section>
      </div>
      {isAdmin() && (
        <>
          <Section
            title="Work pools"
            aside={<a href={buildHref("pools")}>All pools</a>}
          >
            <PoolTable pools={value.pools} />
          </Section>
          <Section
            title="Workers"
            aside={<a href={buildHref("workers")}>All workers</a>}
          >
            <WorkerTable
              workers={value.workers.filter(({ status }) =>
                status !== "offline"
              )}
              pools={value.pools.map(({ pool }) => pool)}
              scaled={listScaled(value.pools)}
            />
          </Section>
        </>
      )}
    </>
  );
}
