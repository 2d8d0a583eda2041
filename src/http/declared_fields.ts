/**
 * Fields of records, each declared once with its schema, default, example and command-line options.
 *
 * @module
 */

/** An option of the command that creates a record. */
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

type Fields = Readonly<Record<string, object>>;

type Keys<F> = F extends object ? keyof F : never;

/** The part `P` of every field that has one, by the field's name. */
export type PartOf<F extends Fields, P extends PropertyKey> = {
  readonly [
    K in keyof F as F[K] extends Readonly<Record<P, unknown>> ? K : never
  ]: F[K] extends Readonly<Record<P, infer V>> ? V : never;
};

/** Returns one part of every field that has it, by the field's name. */
export function pickPart<F extends Fields, P extends Keys<F[keyof F]>>(
  fields: F,
  part: P,
): PartOf<F, P> {
  const entries: readonly (readonly unknown[])[] = Object.entries(fields)
    .flatMap(([name, field]) =>
      Object.entries(field).filter(([key]) => key === part)
        .map(([, value]) => [name, value])
    );
  return Object.fromEntries(entries);
}
