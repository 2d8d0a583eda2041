/** Quotes an argument for a POSIX shell, unless it contains only harmless characters. */
export function quoteArgument(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument)
    ? argument
    : `'${argument.replaceAll("'", `'\\''`)}'`;
}
