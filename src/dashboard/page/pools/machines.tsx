import type { VNode } from "preact";
import type { Pressure } from "../../../client/client.ts";
import { Section } from "../ui/section.tsx";
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

/** The machines that the server starts for a pool; nothing if it starts none. */
export function Machines({ load }: { readonly load: Pressure }): VNode | null {
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
    </Section>
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
