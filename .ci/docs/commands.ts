import type { Command } from "commander";
import { LazyCommand, loadCommand } from "../../src/cli/lazy_command.ts";
import { terminal } from "../../src/cli/output.ts";
import { createProgram } from "../../src/cli/program.ts";
import { COMMAND_PROVIDERS } from "../../src/cli/provider_commands.ts";
import { PROVIDERS } from "../../src/installed_providers.ts";
import { code, escapeText } from "./markdown.ts";

/** Renders every command of the program with its arguments and description. */
export async function renderCommands(): Promise<string> {
  const program = createProgram({
    output: terminal,
    commandProviders: COMMAND_PROVIDERS,
    loadProviders: () => Promise.resolve(PROVIDERS),
    loadInstalled: () => Promise.reject(new Error("No command is run")),
  });
  const commands = visibleCommands(program);
  for (const command of commands) await loadCommand(program, command);
  return commands.flatMap((command) => {
    const children = visibleCommands(command);
    const lines = children.map((child) =>
      renderCommand(child, `${command.name()} ${child.name()}`)
    );
    return isGroup(command)
      ? lines
      : [renderCommand(command, command.name()), ...lines];
  }).join("\n");
}

/** Reports whether the command only groups others. */
function isGroup(command: Command): boolean {
  return command instanceof LazyCommand && command.isGroup;
}

function visibleCommands(
  command: Command,
): readonly Command[] {
  return command.createHelp().visibleCommands(command).filter((child) =>
    child.name() !== "help" || command.parent === null
  );
}

function renderCommand(command: Command, path: string): string {
  const names = command.registeredArguments.map((argument) => {
    const name = `${argument.name()}${argument.variadic ? "..." : ""}`;
    return argument.required ? ` <${name}>` : ` [${name}]`;
  });
  return `- ${code(`${path}${names.join("")}`)}: ${
    escapeText(command.description())
  }`;
}
