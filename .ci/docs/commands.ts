import type { Command } from "commander";
import { LazyCommand } from "../../src/cli/lazy_command.ts";
import { terminal } from "../../src/cli/output.ts";
import { createProgram } from "../../src/cli/program.ts";
import { PROVIDERS } from "../../src/installed_providers.ts";
import { code, escapeText } from "./markdown.ts";

/** Renders every command of the program with its arguments and description. */
export function renderCommands(): string {
  const program = createProgram({
    output: terminal,
    providers: PROVIDERS,
    loadInstalled: () => Promise.reject(new Error("No command is run")),
  });
  return visibleCommands(program).flatMap((command) => {
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
