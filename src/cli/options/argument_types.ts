/**
 * Kinds of positional arguments. They need no schema library, because the help of the program lists arguments.
 *
 * @module
 */

/** A positional argument of a command. */
export interface ArgumentType<T> {
  readonly description: string;
  readonly isOptional?: boolean;
  /** True if it takes all remaining words. */
  readonly isList?: boolean;
  /** The words that it may be. */
  readonly choices?: readonly string[];
  /** Returns the value of what was parsed, which commander has checked. */
  read(parsed: unknown): T;
}

/** Positional arguments by name, in their order. */
export type ArgumentTypes = Readonly<Record<string, ArgumentType<unknown>>>;

/** Declares an argument that is one word. */
export function word(description: string): ArgumentType<string> {
  return { description, read: String };
}

/** Declares an argument that is one word, or absent. */
export function optionalWord(
  description: string,
): ArgumentType<string | undefined> {
  return {
    description,
    isOptional: true,
    read: (parsed) => parsed === undefined ? undefined : String(parsed),
  };
}

/** Declares an argument that is any number of words, or none. */
export function words(description: string): ArgumentType<readonly string[]> {
  return {
    description,
    isOptional: true,
    isList: true,
    read: (parsed) => Array.isArray(parsed) ? parsed.map(String) : [],
  };
}

/** Declares an argument that is one of several words. */
export function choice<const T extends string>(
  choices: readonly T[],
  description: string,
): ArgumentType<T> {
  return {
    description,
    choices,
    read(parsed) {
      const found = choices.find((each) => each === parsed);
      if (found !== undefined) return found;
      throw new TypeError(`Not one of ${choices.join(", ")}: ${parsed}`);
    },
  };
}
