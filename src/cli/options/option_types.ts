/**
 * Schemas of the usual kinds of options.
 *
 * @module
 */
import { z } from "zod";

/** An option that is on or absent. */
export type FlagOption = z.ZodOptional<z.ZodBoolean>;

/** An option with text. */
export type TextOption = z.ZodOptional<z.ZodString>;

/** An option whose text may be left out. */
export type OptionalTextOption = z.ZodOptional<
  z.ZodUnion<readonly [z.ZodLiteral<true>, z.ZodString]>
>;

/** An option with one text or several. */
export type ListOption = z.ZodOptional<z.ZodArray<z.ZodString>>;

/** Value of an option that is on. */
const ON = true;

/** Declares an option that is on or absent. */
export function flag(flags: string, description: string): FlagOption {
  return z.boolean().optional().meta({ flags, description });
}

/** Declares an option with text. @param suggestions Usual values, which are shown and completed. */
export function text(
  flags: string,
  description: string,
  suggestions?: readonly string[],
): TextOption {
  return z.string().optional().meta({ flags, description, suggestions });
}

/** Declares an option whose text may be left out: `--wait [seconds]`. */
export function optionalText(
  flags: string,
  description: string,
  suggestions?: readonly string[],
): OptionalTextOption {
  return z.union([z.literal(ON), z.string()]).optional().meta({
    flags,
    description,
    suggestions,
  });
}

/** Declares an option that turns off what is on by default: `--no-migrate`. */
export function negatedFlag(
  flags: string,
  description: string,
): z.ZodDefault<z.ZodBoolean> {
  return z.boolean().default(ON).meta({ flags, description });
}

/** Declares an option with one text or several. */
export function list(
  flags: string,
  description: string,
  suggestions?: readonly string[],
): ListOption {
  return z.array(z.string()).optional().meta({
    flags,
    description,
    suggestions,
  });
}

/** Returns the schema of a number that the server checks. Text that is not a number becomes NaN. */
export function numberText(): z.ZodType<number, string> {
  return z.string().transform(Number);
}

const WHOLE = "expected a whole number above 0";

/** Returns the schema of a whole number above 0. */
export function wholeNumber(): z.ZodCoercedNumber {
  return z.coerce.number(WHOLE).int(WHOLE).positive(WHOLE);
}

/** Declares the options of a command, with their types inferred. */
export function defineOptions<P extends readonly unknown[], O>(
  declare: (...parameters: P) => O,
): (...parameters: P) => O {
  return declare;
}
