import { z } from "@hono/zod-openapi";
import type { FieldOption } from "../../../http/declared_fields.ts";

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
