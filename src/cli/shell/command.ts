import { z } from "@hono/zod-openapi";
import { type Command, defineCommand } from "../command.ts";
import { text } from "../options/option_types.ts";
import { commonOptions, databaseOptions } from "../options/shared_options.ts";
import { WELCOME } from "./welcome.ts";

/** `browsergrid shell`. */
export const shellCommand: Command = defineCommand({
  name: "shell",
  description:
    "Open a prompt for JavaScript with settings, database and API client",
  options: shellOptions,
  examples: [
    "shell",
    "shell --eval 'await api.listPools()'",
    `shell --json --eval 'await db.query("SELECT status, count(*) AS n FROM sessions GROUP BY status")'`,
    "shell < script.js",
  ],
  notes:
    `Available names:\n${WELCOME}\n\nAn error ends a script with code 1, but not the prompt.`,
  async run(options, { output }) {
    const { runShell } = await import("./shell.ts");
    await runShell(options, output);
  },
});

function shellOptions() {
  return z.object({
    ...databaseOptions(),
    ...commonOptions(),
    eval: text("-e, --eval <code>", "run this code, print its value and end"),
    api_url: text("--api-url <url>", "the server (http://127.0.0.1:8765)"),
    api_key: text("--api-key <key>", "key of the server"),
  });
}
