import type { VNode } from "preact";
import { useRef } from "preact/hooks";
import type {
  EventWire,
  PoolWire,
  Pressure,
  WorkerWire,
} from "../../../client/client.ts";
import { client } from "../api/client.ts";
import { useResource } from "../live/use_resource.ts";
import { buildHref, navigate } from "../routing.ts";
import { PoolSnippets } from "../sessions/connect_snippets.tsx";
import { Badge } from "../ui/badge.tsx";
import { ConfirmButton } from "../ui/confirm_button.tsx";
import { Command, Fault, Loading } from "../ui/notice.tsx";
import { Section } from "../ui/section.tsx";
import { buildWorkerCommand } from "../workers/worker_command.ts";
import { WorkerTable } from "../workers/worker_table.tsx";
import { MACHINE_EVENT, Machines } from "./machines.tsx";
import { PoolFields } from "./pool_fields.tsx";
import { listScaled } from "./scaled.ts";
import { PoolTable } from "./pool_table.tsx";

const MAX_WORKERS = 500;

/** Events of the pool among which those of machines are found. */
const MAX_EVENTS = 100;

const MAX_MACHINE_EVENTS = 10;

const REFRESH_MS = 10_000;

interface Loaded {
  readonly pool: PoolWire;
  readonly load: Pressure;
  readonly workers: readonly WorkerWire[];
  /** Last events of its machines, newest first. */
  readonly machines: readonly EventWire[];
}

/** A work pool: its load, its workers and its fields. */
export function PoolPage({ id }: { readonly id: string }): VNode {
  const { value, error, reload } = useResource(
    id,
    (signal) => loadPool(id, signal),
    {
      changesBy: ({ work_pool_id }) => work_pool_id === id,
      everyMs: REFRESH_MS,
    },
  );
  if (!value) {
    return (
      <>
        <h1>Work pool</h1>
        {error === undefined ? <Loading /> : <Fault message={error} />}
        <a href={buildHref("pools")}>All pools</a>
      </>
    );
  }
  const { pool, load, workers, machines } = value;
  return (
    <>
      <div class="heading">
        <div>
          <h1>
            {pool.name} <Badge status={pool.status} />
          </h1>
          {pool.description !== "" && <p>{pool.description}</p>}
        </div>
        <PoolActions pool={pool} onChange={reload} />
      </div>
      <Fault message={error} />
      <Section
        title="Load"
        aside={
          <a href={buildHref("sessions", { pool: pool.id })}>Its sessions</a>
        }
      >
        <PoolTable pools={[{ pool, load }]} />
      </Section>
      <Machines load={load} events={machines} />
      <Section title="Workers">
        <WorkerTable
          workers={workers}
          pools={[pool]}
          scaled={listScaled([{ pool, load }])}
        />
        {workers.length > 0 && load.machines === null && (
          <details class="more-workers">
            <summary>Start another worker</summary>
            <Command text={buildWorkerCommand(pool.name)} />
          </details>
        )}
      </Section>
      {pool.status === "active" && (
        <Section title="Connect">
          <PoolSnippets pool={pool.name} />
        </Section>
      )}
      <Section title="Fields">
        <PoolFields pool={pool} />
      </Section>
    </>
  );
}

async function loadPool(id: string, signal: AbortSignal): Promise<Loaded> {
  const [pool, load, { items: workers }] = await Promise.all([
    client.getPool(id, { signal }),
    client.getPoolPressure(id, { signal }),
    client.listWorkers({ work_pool_id: id, limit: MAX_WORKERS }, { signal }),
  ]);
  const machines = load.machines === null
    ? []
    : await listMachineEvents(id, signal);
  return { pool, load, workers, machines };
}

async function listMachineEvents(
  id: string,
  signal: AbortSignal,
): Promise<readonly EventWire[]> {
  const { items } = await client.listEvents({
    type: "pool.*",
    work_pool_id: id,
    order: "desc",
    limit: MAX_EVENTS,
  }, { signal });
  return items.filter(({ type }) => type.startsWith(MACHINE_EVENT))
    .slice(0, MAX_MACHINE_EVENTS);
}

function PoolActions(
  { pool: { id, name, status }, onChange }: {
    readonly pool: PoolWire;
    readonly onChange: () => void;
  },
): VNode {
  async function set(verb: "pause" | "resume" | "drain"): Promise<void> {
    await client.setPoolStatus(id, verb);
    onChange();
  }
  const force = useRef<HTMLInputElement>(null);
  async function remove(): Promise<void> {
    await client.deletePool(id, { force: force.current?.checked ?? false });
    navigate(buildHref("pools"));
  }
  return (
    <div class="actions">
      <a class="button" href={buildHref(`pools/${id}/edit`)}>Edit</a>
      {status !== "active" && (
        <ConfirmButton
          label="Resume"
          title={`Resume pool "${name}"?`}
          act={() => set("resume")}
        >
          It takes sessions again, and its workers start them.
        </ConfirmButton>
      )}
      {status === "active" && (
        <>
          <ConfirmButton
            label="Pause"
            title={`Pause pool "${name}"?`}
            act={() => set("pause")}
          >
            New sessions are rejected, and those that wait are not started,
            until the pool is resumed. Running sessions go on.
          </ConfirmButton>
          <ConfirmButton
            label="Drain"
            title={`Drain pool "${name}"?`}
            act={() => set("drain")}
          >
            New sessions are rejected. Running sessions go on until they end;
            then the pool is inactive.
          </ConfirmButton>
        </>
      )}
      <ConfirmButton
        label="Delete"
        title={`Delete pool "${name}"?`}
        isDangerous
        act={remove}
      >
        Its keys and the records of its ended sessions are deleted too. A pool
        with sessions that live is not deleted.
        <label class="check confirm-option">
          <input type="checkbox" ref={force} />{" "}
          Delete it although workers are online; they then end
        </label>
      </ConfirmButton>
    </div>
  );
}
