import type { VNode } from "preact";
import { useState } from "preact/hooks";
import type { ControlProps } from "./controls.tsx";
import { isRecord } from "./is_record.ts";

type Pair = readonly [name: string, value: string];

/**
 * Names with values. Values that the server does not return are names alone: they are kept until the visitor replaces
 * all of them.
 */
export function MapControl(props: ControlProps): VNode {
  const { value, onChange } = props;
  if (!Array.isArray(value)) return <Pairs {...props} />;
  const names = value.map(String);
  if (names.length === 0) return <Pairs {...props} value={undefined} />;
  return (
    <div class="with-button">
      <span class="hidden-values" id={props.attributes.id} tabIndex={-1}>
        {names.join(", ")} <span class="dim">(values are not shown)</span>
      </span>
      <button
        type="button"
        onClick={() =>
          onChange(Object.fromEntries(names.map((name) => [name, ""])))}
      >
        Replace
      </button>
    </div>
  );
}

function Pairs({ value, attributes, onChange }: ControlProps): VNode {
  const [pairs, setPairs] = useState<readonly Pair[]>(
    isRecord(value)
      ? Object.entries(value).map(([name, each]) => [name, String(each)])
      : [],
  );
  function change(next: readonly Pair[]): void {
    setPairs(next);
    const named = next.filter(([name]) => name !== "");
    onChange(named.length === 0 ? undefined : Object.fromEntries(named));
  }
  function replace(at: number, pair: Pair): void {
    change(pairs.map((each, index) => index === at ? pair : each));
  }
  return (
    <div
      class="pairs"
      role="group"
      id={attributes.id}
      tabIndex={-1}
      aria-describedby={attributes["aria-describedby"]}
      aria-labelledby={`${attributes.id}-label`}
      data-invalid={attributes["aria-invalid"]}
    >
      {pairs.map(([name, each], at) => (
        <div class="pair" key={at}>
          <input
            type="text"
            aria-label={`Name ${at + 1}`}
            placeholder="name"
            spellcheck={false}
            value={name}
            onInput={({ currentTarget }) =>
              replace(at, [currentTarget.value, each])}
          />
          <input
            type="text"
            aria-label={`Value ${at + 1}`}
            placeholder="value"
            spellcheck={false}
            autoComplete="off"
            value={each}
            onInput={({ currentTarget }) =>
              replace(at, [name, currentTarget.value])}
          />
          <button
            type="button"
            aria-label={`Remove ${name || `row ${at + 1}`}`}
            onClick={() => change(pairs.filter((_, index) => index !== at))}
          >
            Remove
          </button>
        </div>
      ))}
      <button type="button" onClick={() => setPairs([...pairs, ["", ""]])}>
        Add
      </button>
    </div>
  );
}
