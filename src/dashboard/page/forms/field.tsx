import type { VNode } from "preact";
import { useId } from "preact/hooks";
import type { ApiFault } from "../../../client/client.ts";
import { formatFieldTitle } from "../field_titles.ts";
import {
  AreaControl,
  BooleanControl,
  ChoiceControl,
  type ControlProps,
  JsonControl,
  LinesControl,
  MomentControl,
  NumberControl,
  ScalarControl,
  SecretControl,
  TextControl,
} from "./controls.tsx";
import { isRecord } from "./is_record.ts";
import { findKind, isNullable, type JsonSchema } from "./json_schema.ts";
import { MapControl } from "./map_control.tsx";
import { ObjectsControl } from "./objects_control.tsx";
import { listMessages, type Values } from "./values.ts";

/** Values that all fields of one form use. */
export interface FormContext {
  readonly faults: readonly ApiFault[];
  /** Paths of secrets that are set. */
  readonly secrets: ReadonlySet<string>;
  /** Texts of the choices of fields, by path. */
  readonly titles: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** A member of a value, with its place in the form. */
export interface FieldProps {
  readonly name: string;
  /** Names from the form's value to this one, joined with dots. */
  readonly path: string;
  readonly schema: JsonSchema;
  readonly isRequired: boolean;
  readonly value: unknown;
  readonly context: FormContext;
  readonly onChange: (value: unknown) => void;
}

/** A field: label, control, description and errors. */
export function Field(props: FieldProps): VNode {
  const { name, path, schema, isRequired, context } = props;
  const id = useId();
  const kind = findKind(name, schema);
  if (kind === "object") return <ObjectField {...props} />;
  const messages = listMessages(context.faults, path, {
    isWhole: kind !== "objects",
  });
  const hasHint = schema.description !== undefined;
  const described = [
    ...(messages.length > 0 ? [`${id}-error`] : []),
    ...(hasHint ? [`${id}-hint`] : []),
  ].join(" ");
  return (
    <div class={`form-field ${isWide(kind) ? "wide-field" : ""}`}>
      <label id={`${id}-label`} for={id}>
        {formatFieldTitle(name)}{" "}
        {isRequired && <span class="dim">(required)</span>}
      </label>
      <Control
        {...props}
        attributes={{
          id,
          name: path,
          "aria-describedby": described || undefined,
          "aria-invalid": messages.length > 0 || undefined,
          "aria-required": isRequired || undefined,
        }}
      />
      {messages.length > 0 && (
        <p class="field-error" id={`${id}-error`}>{messages.join("; ")}</p>
      )}
      {hasHint && <p class="hint" id={`${id}-hint`}>{schema.description}</p>}
    </div>
  );
}

/** Reports whether a control needs the whole width of a form. */
function isWide(kind: string): boolean {
  return ["area", "map", "objects", "json", "lines"].includes(kind);
}

function Control(props: FieldProps & ControlProps): VNode {
  const { name, path, schema, context } = props;
  switch (findKind(name, schema)) {
    case "text":
      return <TextControl {...props} />;
    case "area":
      return <AreaControl {...props} />;
    case "secret":
      return <SecretControl {...props} isSet={context.secrets.has(path)} />;
    case "moment":
      return <MomentControl {...props} />;
    case "number":
      return <NumberControl {...props} />;
    case "boolean":
      return <BooleanControl {...props} />;
    case "choice":
      return <ChoiceControl {...props} titles={context.titles[path]} />;
    case "lines":
      return <LinesControl {...props} />;
    case "map":
      return <MapControl {...props} />;
    case "objects":
      return (
        <ObjectsControl
          {...props}
          renderItem={({ schema, at, values, onChange }) => (
            <Fields
              schema={schema}
              names={Object.keys(schema.properties ?? {})}
              values={values}
              path={`${path}.${at}`}
              context={context}
              onChange={(name, value) => onChange({ ...values, [name]: value })}
            />
          )}
        />
      );
    case "scalar":
      return <ScalarControl {...props} />;
    case "object":
    case "json":
      return <JsonControl {...props} />;
  }
}

/** The members of an object. Defaults of members stand in them only if the object itself is always set. */
function ObjectField(
  { name, path, schema, value, context, onChange }: FieldProps,
): VNode {
  const { properties = {} } = schema;
  const members = isRecord(value) ? value : {};
  const messages = context.faults.flatMap((fault) =>
    fault.path === path ||
      fault.path.startsWith(`${path}.`) &&
        !Object.hasOwn(properties, firstName(fault.path.slice(path.length + 1)))
      ? [fault.message]
      : []
  );
  return (
    <fieldset class="wide-field">
      <legend>{formatFieldTitle(name)}</legend>
      {schema.description !== undefined && (
        <p class="hint">{schema.description}</p>
      )}
      {messages.length > 0 && <p class="field-error">{messages.join("; ")}</p>}
      <Fields
        schema={schema}
        names={Object.keys(properties)}
        values={members}
        path={path}
        hasDefaults={!isNullable(schema)}
        context={context}
        onChange={(changed, each) => onChange({ ...members, [changed]: each })}
      />
    </fieldset>
  );
}

/** Fields for some members of an object. */
export function Fields(
  { schema, names, values, path = "", hasDefaults = true, context, onChange }: {
    readonly schema: JsonSchema;
    readonly names: readonly string[];
    readonly values: Values;
    /** Path of the object. */
    readonly path?: string;
    /** True if a default stands in a field that has no value. */
    readonly hasDefaults?: boolean;
    readonly context: FormContext;
    readonly onChange: (name: string, value: unknown) => void;
  },
): VNode {
  return (
    <div class="form-fields">
      {names.flatMap((name) => {
        const member = schema.properties?.[name];
        if (!member) return [];
        const preset = hasDefaults ? member.default : undefined;
        return [
          <Field
            key={`${name} ${member.title ?? ""}`}
            name={name}
            path={path === "" ? name : `${path}.${name}`}
            schema={member}
            isRequired={schema.required?.includes(name) ?? false}
            value={Object.hasOwn(values, name) ? values[name] : preset}
            context={context}
            onChange={(value) => onChange(name, value)}
          />,
        ];
      })}
    </div>
  );
}

function firstName(path: string): string {
  const [first = ""] = path.split(".");
  return first;
}
