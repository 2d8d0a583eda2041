/** Runs a program to its end. */
export async function runToEnd(
  command: string,
  args: readonly string[],
  options: Deno.CommandOptions = {},
): Promise<
  { readonly code: number; readonly out: string; readonly error: string }
> {
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    stdin: "null",
    ...options,
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), error: decoder.decode(stderr) };
}
