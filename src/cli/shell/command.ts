import { type Command, defineCommand } from "../command.ts";
import { WELCOME } from "./welcome.ts";

/** `browsergrid shell`. */
export const shellCommand: Command = defineCommand({
  name: "shell",
  description:
    "Open a prompt for JavaScript with settings, database and API client",
  async options() {
    const { shellOptions } = await import("./options.ts");
    return shellOptions();
  },
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
