import { z } from "@hono/zod-openapi";

/** The form of a field in the query of `/v1/connect`. */
export type ConnectParameter =
  /** One parameter with the field's name. */
  | { readonly form: "value" }
  /** One parameter for each member of the object, with the member's name. */
  | { readonly form: "members" }
  /** The parameter `name`, repeated for each element of the list. */
  | {
    readonly form: "list";
    readonly name: string;
    readonly description: string;
  }
  /** The parameter `name` with the value NAME=VALUE, repeated for each entry of the record. */
  | {
    readonly form: "pairs";
    readonly name: string;
    readonly description: string;
  }
  /** One parameter for each entry of the record, with the entry's name after `prefix`. */
  | { readonly form: "prefix"; readonly prefix: string }
  /** The parameter `name` with a schema of its own: no member of the create body. */
  | {
    readonly form: "separate";
    readonly name: string;
    readonly schema: z.ZodType;
  };

/** An option of `browsergrid session create`. */
export interface FieldOption {
  /** Spelling and placeholder: `--browser <name>`. */
  readonly flags: string;
  /** Member of the field's object that the option sets. Absent: the option sets the whole field. */
  readonly member?: string;
  /** Help text. @default {the description of the field's schema} */
  readonly help?: string;
  /** Values that are shown and completed; others are accepted too. */
  readonly suggestions?: readonly string[];
}

/** The declaration of one field of a session. */
export interface SessionField {
  /** Schema in the create body. Absent: a client cannot set the field. */
  readonly input?: z.ZodType;
  /** Schema in responses. Absent: responses do not contain the field. */
  readonly wire?: z.ZodType;
  /** Value that is stored if the create body has none. Absent: the field is no column, or is resolved from pool and grid. */
  readonly default?: unknown;
  /** Field of the work pool that the session inherits. */
  readonly inherits?: string;
  /** Setting of the grid that applies if neither session nor pool has a value. */
  readonly setting?: string;
  readonly connect?: ConnectParameter;
  readonly options?: readonly FieldOption[];
  /** Example in the create body, and in responses without a `wireExample`. */
  readonly example?: unknown;
  readonly wireExample?: unknown;
}

type Fields = Readonly<Record<string, SessionField>>;

/** The part `P` of every field that has one, by the field's name. */
export type PartOf<F extends Fields, P extends keyof SessionField> = {
  readonly [
    K in keyof F as F[K] extends Readonly<Record<P, unknown>> ? K : never
  ]: F[K] extends Readonly<Record<P, infer V>> ? V : never;
};

/** Returns one part of every field that has it, by the field's name. */
export function pickPart<F extends Fields, P extends keyof SessionField>(
  fields: F,
  part: P,
): PartOf<F, P> {
  const entries: readonly (readonly unknown[])[] = Object.entries(fields)
    .filter(([, field]) => part in field)
    .map(([name, field]) => [name, field[part]]);
  return Object.fromEntries(entries);
}

/** Returns the members of an object's schema; none for any other schema. */
export function listMembers(
  schema: z.ZodType,
): Readonly<Record<string, z.ZodType>> {
  return schema instanceof z.ZodObject ? schema.shape : {};
}

/** Returns the type of the values that a schema accepts, such as `number`, `boolean`, `record` or `object`. */
export function findType(schema: z.core.$ZodType): string {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodDefault
    ? findType(schema.unwrap())
    : schema._zod.def.type;
}
