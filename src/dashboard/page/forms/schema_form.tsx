import type { ComponentChildren, VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, type ApiFault } from "../../../client/client.ts";
import { describeError } from "../api/describe_error.ts";
import { formatFieldTitle } from "../field_titles.ts";
import { Fault } from "../ui/notice.tsx";
import { Fields, type FormContext } from "./field.tsx";
import type { JsonSchema } from "./json_schema.ts";
import {
  buildChanges,
  buildNewBody,
  findMissing,
  type Values,
} from "./values.ts";

/** A part of a form. */
export interface FieldGroup {
  readonly title: string;
  /** Names of its fields in their order; those that the schema does not have are left out. */
  readonly fields: readonly string[];
  /** True if it is closed at first. @default {false} */
  readonly isOptional?: boolean;
}

/** A form for the body of a request. */
export interface SchemaFormProps {
  readonly schema: JsonSchema;
  /** The record that is changed. Absent: the form creates one. */
  readonly current?: Values;
  /** Values with which a new record begins. @default {{}} */
  readonly preset?: Values;
  /** Groups of fields. The fields that none has follow in one of their own. */
  readonly groups: readonly FieldGroup[];
  /** Fields that the form does not have. @default {[]} */
  readonly without?: readonly string[];
  /** Paths of secrets that are set. @default {[]} */
  readonly secrets?: readonly string[];
  /** Texts of the choices of fields, by path. @default {{}} */
  readonly titles?: FormContext["titles"];
  /** Fields at which a problem is shown that names no member, by its code. @default {{}} */
  readonly fieldByCode?: Readonly<Record<string, string>>;
  /** Names of fields that these values make pointless. They are neither shown nor sent. */
  readonly findHidden?: (values: Values) => readonly string[];
  /** Returns the values after a field has changed. @default {the changed values} */
  readonly adjust?: (values: Values, name: string) => Values;
  /** Text of the button, a verb. */
  readonly label: string;
  /** Address that a visitor returns to without a change. */
  readonly cancelHref: string;
  /** Sends the body. */
  readonly send: (body: Values) => Promise<void>;
}

/** A form that is made from the schema of a request's body, with the faults that the server finds at their fields. */
export function SchemaForm(props: SchemaFormProps): VNode {
  const { current, label, cancelHref, adjust, findHidden } = props;
  const form = useRef<HTMLFormElement>(null);
  const [values, setValues] = useState<Values>(props.preset ?? {});
  const [faults, setFaults] = useState<readonly ApiFault[]>([]);
  const [error, setError] = useState<string>();
  const [phase, setPhase] = useState<"editing" | "sent">("editing");
  const shown = { ...current, ...values };
  const schema = omitMembers(props.schema, [
    ...props.without ?? [],
    ...findHidden?.(shown) ?? [],
  ]);
  useEffect(() => {
    if (error !== undefined) focusFault(form.current);
  }, [error, faults]);
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const missing = findMissing(schema, values, current ?? {});
    setFaults(missing);
    setError(missing.length > 0 ? describeFaults(missing) : undefined);
    if (missing.length > 0) return;
    setPhase("sent");
    try {
      await props.send(
        current
          ? buildChanges(schema, values, current)
          : buildNewBody(schema, values),
      );
    } catch (cause) {
      const found = findFaults(cause, props.fieldByCode ?? {});
      setFaults(found);
      setError(
        found.length > 0 && found.every(({ path }) => isShown(schema, path))
          ? describeFaults(found)
          : describeError(cause),
      );
    }
    setPhase("editing");
  }
  return (
    <form
      ref={form}
      class="schema-form"
      noValidate
      onSubmit={(event) => void submit(event)}
    >
      {groupFields(schema, props.groups).map((group) => (
        <Group
          key={group.title}
          group={group}
          titles={listTitles(schema, group.fields)}
          faults={faults}
        >
          <Fields
            schema={schema}
            names={group.fields}
            values={shown}
            context={{
              faults,
              secrets: new Set(props.secrets),
              titles: props.titles ?? {},
            }}
            onChange={(name, value) => {
              const next = { ...values, [name]: value };
              setValues(adjust?.(next, name) ?? next);
            }}
          />
        </Group>
      ))}
      <Fault message={error} />
      <div class="actions">
        <button type="submit" class="primary" disabled={phase === "sent"}>
          {phase === "sent" ? "Please wait\u2026" : label}
        </button>
        <a class="button" href={cancelHref}>Cancel</a>
      </div>
    </form>
  );
}

function Group(
  { group: { title, fields, isOptional = false }, titles, faults, children }: {
    readonly group: FieldGroup;
    /** Titles of its fields. */
    readonly titles: readonly string[];
    readonly faults: readonly ApiFault[];
    readonly children: ComponentChildren;
  },
): VNode {
  const [isOpen, setOpen] = useState(!isOptional);
  const hasFault = faults.some(({ path }) =>
    fields.some((name) => path === name || path.startsWith(`${name}.`))
  );
  useEffect(() => {
    if (hasFault) setOpen(hasFault);
  }, [faults]);
  return (
    <details
      class="panel form-group"
      open={isOpen}
      onToggle={({ currentTarget }) => setOpen(currentTarget.open)}
    >
      <summary>
        <h2>{title}</h2>
        {isOptional && !isOpen && <span class="dim">{titles.join(", ")}</span>}
      </summary>
      {children}
    </details>
  );
}

/** Returns the titles of fields; of a single object, those of its members. */
function listTitles(
  { properties = {} }: JsonSchema,
  fields: readonly string[],
): readonly string[] {
  const [only = ""] = fields;
  const members = Object.keys(properties[only]?.properties ?? {});
  const names = fields.length === 1 && members.length > 0 ? members : fields;
  return names.map(formatFieldTitle);
}

/** Returns the groups that have fields, and one more of the fields that none has. */
function groupFields(
  { properties = {} }: JsonSchema,
  groups: readonly FieldGroup[],
): readonly FieldGroup[] {
  const named = new Set(groups.flatMap(({ fields }) => fields));
  const rest = Object.keys(properties).filter((name) =>
    !named.has(name) && !properties[name]?.readOnly
  );
  return [
    ...groups.map((group) => ({
      ...group,
      fields: group.fields.filter((name) => properties[name]),
    })),
    { title: "More", fields: rest, isOptional: true },
  ].filter(({ fields }) => fields.length > 0);
}

function omitMembers(
  schema: JsonSchema,
  names: readonly string[],
): JsonSchema {
  const kept = Object.entries(schema.properties ?? {}).filter(([name]) =>
    !names.includes(name)
  );
  return { ...schema, properties: Object.fromEntries(kept) };
}

/** Returns the faults of a rejected body, with their fields. */
function findFaults(
  cause: unknown,
  fieldByCode: Readonly<Record<string, string>>,
): readonly ApiFault[] {
  if (!(cause instanceof ApiError)) return [];
  if (cause.faults.length > 0) return cause.faults;
  const path = fieldByCode[cause.code];
  return path === undefined ? [] : [{ path, message: cause.message }];
}

/** Reports whether the form has the field of a path, or one around it. */
function isShown({ properties = {} }: JsonSchema, path: string): boolean {
  const [first = ""] = path.split(".");
  return properties[first] !== undefined;
}

function describeFaults(faults: readonly ApiFault[]): string {
  const names = new Set(
    faults.map(({ path }) =>
      formatFieldTitle(
        path.split(".").findLast((name) => !/^\d+$/.test(name)) ?? path,
      )
    ),
  );
  return `Not saved. Correct the marked fields: ${[...names].join(", ")}.`;
}

/** Moves to the first field with an error, in a group that is opened for it. */
function focusFault(form: HTMLFormElement | null): void {
  const field = form?.querySelector<HTMLElement>(
    "[aria-invalid], [data-invalid]",
  );
  const group = field?.closest("details");
  if (group) group.open = true;
  field?.focus();
}
