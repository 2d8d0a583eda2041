import type { VNode } from "preact";
import type {
  PoolWire,
  SessionWire,
  WorkerMetricWire,
  WorkerWire,
} from "../../../client/client.ts";
import { client } from "../api/client.ts";
import { useResource } from "../live/use_resource.ts";
import { buildHref, navigate } from "../routing.ts";
import { SessionTable } from "../sessions/session_table.tsx";
import { Badge } from "../ui/badge.tsx";
import { ConfirmButton } from "../ui/confirm_button.tsx";
import { Empty, Fault, Loading } from "../ui/notice.tsx";
import { Section } from "../ui/section.tsx";
import { WorkerCharts } from "./worker_charts.tsx";
import { WorkerFields } from "./worker_fields.tsx";

const MAX_SESSIONS = 100;

const REFRESH_MS = 10_000;

interface Loaded {
  readonly worker: WorkerWire;
  readonly pool: PoolWire;
  readonly sessions: readonly SessionWire[];
  readonly measured: readonly WorkerMetricWire[];
}

/** A worker: its host, its sessions and its fields. */
export function WorkerPage({ id }: { readonly id: string }): VNode {
  const { value, error, reload } = useResource(
    id,
    (signal) => loadWorker(id, signal),
    {
      changesBy: ({ worker_id }) => worker_id === id,
      everyMs: REFRESH_MS,
    },
  );
  if (!value) {
    return (
      <>
        <h1>Worker</h1>
        {error === undefined ? <Loading /> : <Fault message={error} />}
        <a href={buildHref("workers")}>All workers</a>
      </>
    );
  }
  const { worker, pool, sessions, measured } = value;
  return (
    <>
      <div class="heading">
        <h1>
          {worker.name} <Badge status={worker.status} />
        </h1>
        <WorkerActions worker={worker} onChange={reload} />
      </div>
      <Fault message={error} />
      <Section title="Host">
        <WorkerCharts measured={measured} />
      </Section>
      <Section
        title="Live sessions"
        aside={
          <a href={buildHref("sessions", { worker: worker.id })}>
            All its sessions
          </a>
        }
      >
        {sessions.length > 0
          ? (
            <SessionTable
              sessions={sessions}
              places={{ pools: [pool], workers: [worker] }}
            />
          )
          : <Empty title="It holds no session" />}
      </Section>
      <Section title="Fields">
        <WorkerFields worker={worker} pool={pool} />
      </Section>
    </>
  );
}

async function loadWorker(id: string, signal: AbortSignal): Promise<Loaded> {
  const [worker, { items: sessions }, { items: measured }] = await Promise.all([
    client.getWorker(id, { signal }),
    client.listSessions({
      worker_id: id,
      status: "starting,running",
      limit: MAX_SESSIONS,
    }, { signal }),
    client.listWorkerMetrics(id, { limit: 300 }, { signal }),
  ]);
  const pool = await client.getPool(worker.work_pool_id, { signal });
  return { worker, pool, sessions, measured };
}

function WorkerActions(
  { worker: { id, name, status }, onChange }: {
    readonly worker: WorkerWire;
    readonly onChange: () => void;
  },
): VNode {
  async function change(call: Promise<unknown>): Promise<void> {
    await call;
    onChange();
  }
  async function remove(): Promise<void> {
    await client.deleteWorker(id);
    navigate(buildHref("workers"));
  }
  return (
    <div class="actions">
      {status === "draining" && (
        <ConfirmButton
          label="Resume"
          title={`Resume worker "${name}"?`}
          act={() => change(client.resumeWorker(id))}
        >
          It takes sessions again.
        </ConfirmButton>
      )}
      {["online", "busy", "failed"].includes(status) && (
        <ConfirmButton
          label="Drain"
          title={`Drain worker "${name}"?`}
          act={() => change(client.drainWorker(id))}
        >
          It takes no more sessions, and leaves when the running ones have
          ended.
        </ConfirmButton>
      )}
      <ConfirmButton
        label="Delete"
        title={`Delete worker "${name}"?`}
        isDangerous
        act={remove}
      >
        Its record is deleted. A worker that holds a session is not deleted.
      </ConfirmButton>
    </div>
  );
}
