import type { VNode } from "preact";
import { useState } from "preact/hooks";
import type { ControlProps } from "./controls.tsx";
import { isRecord } from "./is_record.ts";
import { type JsonSchema, mergeAlternatives } from "./json_schema.ts";
import type { Values } from "./values.ts";

/** A row with an identity, so that a removed one does not pass its state to the next. */
interface Row {
  readonly key: number;
  readonly values: Values;
}

/** Renders the fields of one object of a list. */
export type RenderItem = (item: {
  readonly schema: JsonSchema;
  readonly at: number;
  readonly values: Values;
  readonly onChange: (values: Values) => void;
}) => VNode;

/** A list of objects, each with a field for each member. */
export function ObjectsControl(
  { schema, value, attributes, renderItem, onChange }: ControlProps & {
    readonly renderItem: RenderItem;
  },
): VNode {
  const item = mergeAlternatives(schema.items ?? {});
  const [rows, setRows] = useState<readonly Row[]>(
    (Array.isArray(value) ? value : []).filter(isRecord)
      .map((values, key) => ({ key, values })),
  );
  function change(next: readonly Row[]): void {
    setRows(next);
    onChange(
      next.length === 0 ? undefined : next.map(({ values }) => values),
    );
  }
  return (
    <div
      class="rows"
      role="group"
      id={attributes.id}
      tabIndex={-1}
      aria-labelledby={`${attributes.id}-label`}
      aria-describedby={attributes["aria-describedby"]}
      data-invalid={attributes["aria-invalid"]}
    >
      {rows.map((row, at) => (
        <div class="row" role="group" key={row.key} aria-label={`${at + 1}`}>
          {renderItem({
            schema: item,
            at,
            values: row.values,
            onChange: (values) =>
              change(
                rows.map((other) =>
                  other === row ? { ...row, values } : other
                ),
              ),
          })}
          <button
            type="button"
            aria-label={`Remove ${at + 1}`}
            onClick={() =>
              change(rows.filter((other) =>
                other !== row
              ))}
          >
            Remove
          </button>
        </div>
      ))}
      <button
        type="button"
        onClick={() =>
          change([...rows, {
            key: Math.max(-1, ...rows.map(({ key }) => key)) + 1,
            values: {},
          }])}
      >
        Add
      </button>
    </div>
  );
}
