import { createInterface } from "node:readline";
import { stdin, stdout } from "node:process";
import { toMessage } from "../../core/log.ts";
import { runSqlCommand, type SqlCommandContext } from "./dot_commands.ts";
import { splitSql } from "./split.ts";

/** What a prompt is made of. */
export interface SqlPromptOptions extends SqlCommandContext {
  /** What it is connected with. */
  readonly title: string;
}

/** Asks for SQL until it is left. An error is shown, and it goes on. */
export async function sqlPrompt(
  { title, ...context }: SqlPromptOptions,
): Promise<void> {
  const { output, session } = context;
  output.print(`Connected with ${title}\n.help for help, .quit to leave`);
  const lines = createInterface({ input: stdin, output: stdout });
  let pending = "";
  const ask = () => {
    const start = session.isCollecting ? "sql(begin)> " : "sql> ";
    lines.setPrompt(pending === "" ? start : "...> ".padStart(start.length));
    lines.prompt();
  };
  lines.on("SIGINT", () => {
    const isEmpty = pending === "" && lines.line === "";
    pending = "";
    output.print(isEmpty ? "\n.quit or Ctrl+D to leave" : "");
    lines.write(null, { ctrl: true, name: "u" });
    ask();
  });
  ask();
  try {
    for await (const line of lines) {
      const next = await step(line);
      if (!next) return;
      ask();
    }
    output.print("");
  } finally {
    lines.close();
  }

  async function step(line: string): Promise<boolean> {
    try {
      if (pending === "" && line.trimStart().startsWith(".")) {
        return await runSqlCommand(line, context);
      }
      const { statements, rest } = splitSql(`${pending}${line}\n`);
      pending = rest;
      for (const statement of statements) await session.run(statement);
    } catch (error) {
      pending = "";
      output.error(toMessage(error));
    }
    return true;
  }
}
