import { createInterface } from "node:readline";
import { stdin, stdout } from "node:process";
import { toMessage } from "../../core/log.ts";
import { runDotCommand, type SqlContext } from "./dot_commands.ts";
import { splitSql } from "./split.ts";

/** Options of {@linkcode promptForSql}. */
export interface SqlPromptOptions extends SqlContext {
  /** URL of the database. */
  readonly title: string;
}

/** Prompts for SQL until the user leaves. Errors are printed and do not end it. */
export async function promptForSql(
  { title, ...context }: SqlPromptOptions,
): Promise<void> {
  const { output, session } = context;
  output.print(`Connected with ${title}\n.help for help, .quit to leave`);
  const lines = createInterface({ input: stdin, output: stdout });
  let pending = "";
  const prompt = () => {
    const start = session.isCollecting ? "sql(begin)> " : "sql> ";
    lines.setPrompt(pending === "" ? start : "...> ".padStart(start.length));
    lines.prompt();
  };
  lines.on("SIGINT", () => {
    const isEmpty = pending === "" && lines.line === "";
    pending = "";
    output.print(isEmpty ? "\n.quit or Ctrl+D to leave" : "");
    lines.write(null, { ctrl: true, name: "u" });
    prompt();
  });
  prompt();
  try {
    for await (const line of lines) {
      if (!await runLine(line)) return;
      prompt();
    }
    output.print("");
  } finally {
    lines.close();
  }

  /** Resolves with false if the line ends the prompt. */
  async function runLine(line: string): Promise<boolean> {
    try {
      if (pending === "" && line.trimStart().startsWith(".")) {
        return await runDotCommand(line, context);
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
