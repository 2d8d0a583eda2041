import type { VNode } from "preact";
import { useState } from "preact/hooks";
import { formatStatus } from "../format.ts";
import { listAlternatives } from "./json_schema.ts";
import { isNullable, type JsonSchema } from "./json_schema.ts";

/** Attributes that join a control with its label, description and error. */
export interface ControlAttributes {
  readonly id: string;
  readonly name: string;
  readonly "aria-describedby"?: string | undefined;
  readonly "aria-invalid"?: boolean | undefined;
  readonly "aria-required"?: boolean | undefined;
}

/** The value of a control and its change. Undefined is empty. */
export interface ControlProps {
  readonly schema: JsonSchema;
  readonly value: unknown;
  readonly attributes: ControlAttributes;
  readonly onChange: (value: unknown) => void;
}

/** Value of a number field whose text is not a number. */
const NO_NUMBER = "not a number";

/** Returns the text of a value, empty for none. */
function toText(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Returns an example or the default, as a hint in an empty control. */
function findPlaceholder({ default: preset, examples = [] }: JsonSchema) {
  const text = toText(preset);
  if (text !== "" && typeof preset !== "object") return text;
  const [example] = examples;
  return typeof example === "string" || typeof example === "number"
    ? `such as ${example}`
    : undefined;
}

/** A line of text. */
export function TextControl(
  { schema, value, attributes, onChange }: ControlProps,
): VNode {
  const suggestions = listAlternatives(schema);
  const listId = `${attributes.id}-list`;
  return (
    <>
      <input
        {...attributes}
        type="text"
        spellcheck={false}
        autoComplete="off"
        inputMode={schema.format === "uri" ? "url" : undefined}
        maxLength={schema.maxLength}
        placeholder={findPlaceholder(schema)}
        list={suggestions.length > 0 ? listId : undefined}
        value={toText(value)}
        onInput={(event) => onChange(event.currentTarget.value || undefined)}
      />
      {suggestions.length > 0 && (
        <datalist id={listId}>
          {suggestions.map((each) => <option key={each} value={each} />)}
        </datalist>
      )}
    </>
  );
}

/** Several lines of text. */
export function AreaControl(
  { schema, value, attributes, onChange }: ControlProps,
): VNode {
  return (
    <textarea
      {...attributes}
      rows={2}
      maxLength={schema.maxLength}
      value={toText(value)}
      onInput={(event) => onChange(event.currentTarget.value || undefined)}
    />
  );
}

/** A number. What is not a number is sent as it is, and rejected by the server. */
export function NumberControl(
  { schema, value, attributes, onChange }: ControlProps,
): VNode {
  const isInteger = [schema.type].flat().includes("integer");
  return (
    <input
      {...attributes}
      type="number"
      class="short"
      step={isInteger ? 1 : "any"}
      min={schema.minimum}
      max={schema.maximum}
      placeholder={findPlaceholder(schema) ??
        (isNullable(schema) ? "not set" : undefined)}
      // A number that is not complete, such as "-", must stay while it is typed.
      value={value === NO_NUMBER ? undefined : toText(value)}
      onInput={({ currentTarget }) => onChange(readNumber(currentTarget))}
    />
  );
}

/** Returns the number of a control; text if it has one that is not a number, and undefined if it is empty. */
function readNumber(input: HTMLInputElement): unknown {
  if (!Number.isNaN(input.valueAsNumber)) return input.valueAsNumber;
  return input.validity.badInput ? NO_NUMBER : undefined;
}

/** A moment in the visitor's time zone. */
export function MomentControl(
  { value, attributes, onChange }: ControlProps,
): VNode {
  return (
    <input
      {...attributes}
      type="datetime-local"
      class="short"
      value={typeof value === "string" ? toLocal(value) : ""}
      onInput={({ currentTarget: { value } }) =>
        onChange(value === "" ? undefined : new Date(value).toISOString())}
    />
  );
}

/** Returns a moment in the form of the control: local time, to the minute. */
function toLocal(at: string): string {
  return new Date(at).toLocaleString("sv-SE").slice(0, 16).replace(" ", "T");
}

/** A choice among values. @param titles Texts of the values that are not shown as they are. */
export function ChoiceControl(
  { schema, value, attributes, onChange, titles = {} }: ControlProps & {
    readonly titles?: Readonly<Record<string, string>> | undefined;
  },
): VNode {
  const choices = (schema.enum ?? []).filter((each) => each !== null)
    .map(String);
  const hasEmpty = value === undefined || value === null ||
    (schema.default === undefined || isNullable(schema));
  return (
    <select
      {...attributes}
      class="short"
      value={toText(value)}
      onChange={(event) => onChange(event.currentTarget.value || undefined)}
    >
      {hasEmpty && (
        <option value="" selected={toText(value) === ""}>
          {titles[""] ??
            (attributes["aria-required"] ? "Choose\u2026" : "Not set")}
        </option>
      )}
      {choices.map((each) => (
        <option key={each} value={each} selected={each === toText(value)}>
          {titles[each] ?? formatStatus(each)}
        </option>
      ))}
    </select>
  );
}

/** Yes, no, or not set. */
export function BooleanControl(props: ControlProps): VNode {
  const { value, onChange } = props;
  return (
    <ChoiceControl
      {...props}
      schema={{ ...props.schema, enum: ["true", "false"] }}
      titles={{ true: "yes", false: "no" }}
      value={typeof value === "boolean" ? String(value) : undefined}
      onChange={(text) => onChange(text === undefined ? text : text === "true")}
    />
  );
}

/** A secret: never shown. One that is set is kept while the control is empty, or removed. */
export function SecretControl(
  { value, attributes, onChange, isSet }: ControlProps & {
    readonly isSet: boolean;
  },
): VNode {
  const isRemoved = value === null;
  return (
    <div class="with-button">
      <input
        {...attributes}
        type="password"
        autoComplete="new-password"
        disabled={isRemoved}
        placeholder={isSet
          ? isRemoved ? "will be removed" : "set; empty keeps it"
          : undefined}
        value={toText(value)}
        onInput={(event) => onChange(event.currentTarget.value || undefined)}
      />
      {isSet && (
        <button
          type="button"
          onClick={() => onChange(isRemoved ? undefined : null)}
        >
          {isRemoved ? "Keep" : "Remove"}
        </button>
      )}
    </div>
  );
}

/** Texts, one a line. */
export function LinesControl(
  { value, attributes, onChange }: ControlProps,
): VNode {
  const [text, setText] = useState(
    Array.isArray(value) ? value.join("\n") : "",
  );
  return (
    <textarea
      {...attributes}
      rows={Math.min(8, Math.max(2, text.split("\n").length))}
      class="mono"
      spellcheck={false}
      placeholder="one a line"
      value={text}
      onInput={({ currentTarget: { value } }) => {
        setText(value);
        const lines = value.split("\n").map((line) => line.trim())
          .filter((line) => line !== "");
        onChange(lines.length === 0 ? undefined : lines);
      }}
    />
  );
}

/** Any value, as JSON. What is not JSON is sent as text, and rejected by the server. */
export function JsonControl(
  { value, attributes, onChange }: ControlProps,
): VNode {
  const [text, setText] = useState(
    value === undefined || value === null ? "" : JSON.stringify(value, null, 2),
  );
  return (
    <textarea
      {...attributes}
      rows={3}
      class="mono"
      spellcheck={false}
      placeholder="JSON"
      value={text}
      onInput={({ currentTarget: { value } }) => {
        setText(value);
        onChange(value.trim() === "" ? undefined : parseJson(value));
      }}
    />
  );
}

/** A text, a number, true, false or null: a number is 4, the text is "4". */
export function ScalarControl(
  { value, attributes, onChange }: ControlProps,
): VNode {
  const [text, setText] = useState(
    typeof value === "string" && parseJson(value) === value
      ? value
      : value === undefined
      ? ""
      : JSON.stringify(value),
  );
  return (
    <input
      {...attributes}
      type="text"
      spellcheck={false}
      autoComplete="off"
      value={text}
      onInput={({ currentTarget: { value } }) => {
        setText(value);
        onChange(value === "" ? undefined : parseJson(value));
      }}
    />
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
