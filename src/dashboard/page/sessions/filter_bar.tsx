import type { VNode } from "preact";
import { useEffect, useId, useState } from "preact/hooks";
import { isAdmin } from "../api/access.ts";
import { buildHref, navigate, setQuery } from "../routing.ts";
import { type Filters, parseSearch, STATUS_CHOICES } from "./filters.ts";
import type { Places } from "./use_places.ts";

/** The fields by which sessions are selected. */
export function FilterBar(
  { filters, places }: {
    readonly filters: Filters;
    readonly places: Places;
  },
): VNode {
  const isFiltered = Object.values(filters).some((each) => each !== undefined);
  return (
    <div class="filters" role="search" aria-label="Sessions">
      <Choice
        label="Status"
        name="status"
        value={filters.status}
        choices={withCurrent(STATUS_CHOICES, filters.status)}
      />
      {isAdmin() && (
        <>
          <Choice
            label="Pool"
            name="pool"
            value={filters.pool}
            choices={withCurrent([
              ["All", ""],
              ...places.pools.map(({ id, name }) => [name, id] as const),
            ], filters.pool)}
          />
          <Choice
            label="Worker"
            name="worker"
            value={filters.worker}
            choices={withCurrent([
              ["All", ""],
              ...places.workers.map(({ id, name }) => [name, id] as const),
            ], filters.worker)}
          />
        </>
      )}
      <Search label={filters.label} />
      {isFiltered && <a href={buildHref("sessions")}>Clear</a>}
    </div>
  );
}

type Choices = readonly (readonly [title: string, value: string])[];

/** Returns the choices, with the value of the URL if it is not among them. */
function withCurrent(choices: Choices, value: string | undefined): Choices {
  return value === undefined || choices.some(([, each]) => each === value)
    ? choices
    : [...choices, [value, value]];
}

function Choice(
  { label, name, value = "", choices }: {
    readonly label: string;
    readonly name: string;
    readonly value: string | undefined;
    readonly choices: Choices;
  },
): VNode {
  const id = useId();
  return (
    <span class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        name={name}
        value={value}
        onChange={(event) =>
          setQuery({ [name]: event.currentTarget.value, cursor: undefined })}
      >
        {choices.map(([title, each]) => (
          <option key={each} value={each} selected={each === value}>
            {title}
          </option>
        ))}
      </select>
    </span>
  );
}

function Search({ label = "" }: { readonly label: string | undefined }): VNode {
  const id = useId();
  const hintId = useId();
  const [text, setText] = useState(label);
  const [unknown, setUnknown] = useState<string>();
  const isUnknown = unknown !== undefined;
  useEffect(() => setText(label), [label]);
  function submit(event: Event): void {
    event.preventDefault();
    const found = parseSearch(text);
    setUnknown(found ? undefined : text);
    if (!found) return;
    if ("id" in found) navigate(buildHref(`sessions/${found.id}`));
    else setQuery({ label: found.label, cursor: undefined });
  }
  return (
    <form class="field grow" onSubmit={submit}>
      <label for={id}>Label or session id</label>
      <input
        id={id}
        type="search"
        name="search"
        placeholder="team=search"
        value={text}
        aria-invalid={isUnknown}
        aria-describedby={isUnknown ? hintId : undefined}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      {isUnknown && (
        <span id={hintId} class="fault" role="alert">
          Expected a label as NAME=VALUE, or the whole id of a session.
        </span>
      )}
    </form>
  );
}
