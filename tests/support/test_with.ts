/** Declares a test that needs programs on the PATH. If one is missing, it is skipped, and its name has the reason. */
export async function testWith(
  programs: readonly string[],
  name: string,
  fn: (t: Deno.TestContext) => Promise<void>,
): Promise<void> {
  const found = await Promise.all(programs.map(isInstalled));
  const missing = programs.filter((_, index) => !found[index]);
  const ignore = missing.length > 0;
  const reason = ` (${missing.join(" and ")} not installed)`;
  Deno.test({ name: ignore ? name + reason : name, ignore, fn });
}

async function isInstalled(program: string): Promise<boolean> {
  const { success } = await new Deno.Command("sh", {
    args: ["-c", `command -v "${program}"`],
    stdout: "null",
  }).output();
  return success;
}
