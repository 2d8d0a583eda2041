import type { ComponentChildren, VNode } from "preact";
import type { PoolWire } from "../../../client/client.ts";
import { formatFieldTitle } from "../field_titles.ts";
import { formatDuration } from "../format.ts";
import { Moment } from "../ui/time.tsx";

/** Fields that stand elsewhere on the page. */
const SHOWN_ELSEWHERE = new Set(["name", "description", "status"]);

const MINUTE_MS = 60_000;

/** The fields of a pool that are set. */
export function PoolFields({ pool }: { readonly pool: PoolWire }): VNode {
  const fields = Object.entries(pool).filter(([name, value]) =>
    !SHOWN_ELSEWHERE.has(name) && isSet(value)
  ).toSorted(([, one], [, other]) => countLines(one) - countLines(other));
  return (
    <dl class="details two">
      {fields.map(([name, value]) => (
        <div key={name}>
          <dt>{formatFieldTitle(name)}</dt>
          <dd>{renderField(name, value)}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Returns the number of lines that a value takes, so that short ones stand side by side. */
function countLines(value: unknown): number {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.values(value).filter(isSet).length
    : 0;
}

function isSet(value: unknown): boolean {
  if (value === null || value === undefined) return false;
  return typeof value !== "object" || Object.keys(value).length > 0;
}

function renderField(name: string, value: unknown): ComponentChildren {
  if (typeof value === "string" && name.endsWith("_at")) {
    return <Moment at={value} />;
  }
  if (typeof value === "number" && name.endsWith("_minutes")) {
    return name === "ready_max_age_minutes"
      ? `at most ${formatDuration(value * MINUTE_MS)}`
      : formatDuration(value * MINUTE_MS);
  }
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return renderText(value);
  }
  return <Options options={value} />;
}

/** The members of an object, one a line, as its provider or the API names them. */
function Options({ options }: { readonly options: object }): VNode {
  return (
    <ul class="options">
      {Object.entries(options).filter(([, value]) => isSet(value)).map((
        [name, value],
      ) => (
        <li key={name}>
          <code>{name}</code> {renderText(value)}
        </li>
      ))}
    </ul>
  );
}

function renderText(value: unknown): string {
  if (Array.isArray(value)) return value.map(renderText).join(", ");
  return typeof value === "object" && value !== null
    ? JSON.stringify(value)
    : String(value);
}
