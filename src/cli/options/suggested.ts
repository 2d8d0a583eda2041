import { Option } from "@commander-js/extra-typings";

/** An option whose usual values are shown and completed; others are taken too, for the server or the provider to judge. */
export function suggested(
  flags: string,
  description: string,
  values: readonly string[],
): Option {
  const option = new Option(flags, description);
  option.argChoices = [...values];
  return option;
}
