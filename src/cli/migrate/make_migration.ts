import { fileURLToPath } from "node:url";
import { createChildEnvironment } from "../../providers/kit/child_environment.ts";
import type { Output } from "../output.ts";

/** Writes a migration for the changes of the models. Only a checkout has the models' sources. */
export async function makeMigration(
  message: string,
  output: Output,
): Promise<void> {
  const slug = message.toLowerCase().replaceAll(/[^a-z0-9]+/g, "_");
  const command = new Deno.Command(Deno.execPath(), {
    args: ["task", "db:generate", "--name", slug],
    clearEnv: true,
    env: { ...createChildEnvironment(), NO_COLOR: "1" },
    cwd: fileURLToPath(new URL("../../../", import.meta.url)),
  });
  const { success, stdout, stderr } = await command.output();
  const text = new TextDecoder().decode(stdout);
  if (!success) {
    output.error((text + new TextDecoder().decode(stderr)).trim());
    throw new Error(
      "Cannot make a migration: see above; expected a checkout of the project",
    );
  }
  const [, file] = /(migrations\/[\w.-]+\.sql)/.exec(text) ?? [];
  output.print(
    file === undefined
      ? "No migration needed: the models have not changed"
      : `Created ${file}: review its SQL before you commit it`,
  );
}
