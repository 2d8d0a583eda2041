import type { VNode } from "preact";
import type { EventWire, Pressure } from "../../../client/client.ts";
import { formatStatus } from "../format.ts";
import { Section, Table } from "../ui/section.tsx";
import { Age, Moment } from "../ui/time.tsx";
import { findCurrentFailure } from "./current_failure.ts";

/** Statuses of machines in their order. */
const STATUSES = [
  ["requested", "Requested"],
  ["starting", "Starting"],
  ["running", "Running"],
  ["draining", "Draining"],
  ["removing", "Removing"],
] as const;

/** The machines that the server starts for a pool, and their last events; nothing if it starts none. */
export function Machines(
  { load, events }: {
    readonly load: Pressure;
    readonly events: readonly EventWire[];
  },
): VNode | null {
  const { machines, wanted_workers, workers_online } = load;
  if (machines === null) return null;
  const { last_failure: failure } = machines;
  const isCurrent = findCurrentFailure(load, Date.now()) !== undefined;
  return (
    <Section title="Machines">
      <dl class="counts">
        <Count title="Workers wanted" count={wanted_workers} />
        <Count title="Workers online" count={workers_online} />
        {STATUSES.map(([status, title]) => (
          <Count key={status} title={title} count={machines[status]} />
        ))}
      </dl>
      {failure && (
        <p class={`machine-failure ${isCurrent ? "current" : ""}`}>
          Last failure, <Moment at={failure.at} /> (<Age
            at={failure.at}
            suffix=" ago"
          />): {failure.reason}
        </p>
      )}
      {events.length > 0 && <MachineEvents events={events} />}
    </Section>
  );
}

/** Type of the events of machines, without the last part. */
export const MACHINE_EVENT = "pool.machine_";

function MachineEvents(
  { events }: { readonly events: readonly EventWire[] },
): VNode {
  return (
    <Table
      label="Events of machines"
      head={[{ title: "Time" }, { title: "Machine" }, { title: "Reason" }]}
    >
      {events.map(({ sequence, type, timestamp, data }) => (
        <tr key={sequence}>
          <td class="nowrap">
            <Age at={timestamp} suffix=" ago" />
          </td>
          <td>{formatStatus(type.slice(MACHINE_EVENT.length))}</td>
          <td class="reason">
            {typeof data["reason"] === "string" ? data["reason"] : "\u2013"}
          </td>
        </tr>
      ))}
    </Table>
  );
}

function Count(
  { title, count }: { readonly title: string; readonly count: number },
): VNode {
  return (
    <div>
      <dt>{title}</dt>
      <dd>{count}</dd>
    </div>
  );
}

/** A mark with the reason why machines of the pool fail now; nothing if none does. */
export function MachineWarning(
  { load }: { readonly load: Pressure },
): VNode | null {
  const failure = findCurrentFailure(load, Date.now());
  if (!failure) return null;
  return (
    <div class="warning" title={failure.reason}>
      <span aria-hidden="true">&#9888;</span>{" "}
      <span class="clamped">
        Machine failed <Age at={failure.at} suffix=" ago" />: {failure.reason}
      </span>
    </div>
  );
}
