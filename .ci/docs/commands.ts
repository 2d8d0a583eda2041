import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { terminal } from "../../src/cli/output.ts";
import { BUILT_IN } from "../../src/cli/plugins.ts";
import { createProgram } from "../../src/cli/program.ts";
import { code, escapeText } from "./markdown.ts";

/** Renders every command of the program with its arguments and description. */
export function renderCommands(): string {
  const program = createProgram(terminal, { value: 0 }, BUILT_IN);
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
function isGroup(command: CommandUnknownOpts): boolean {
  return command.commands.length > 0 && command.options.length === 0;
}

function visibleCommands(
  command: CommandUnknownOpts,
): readonly CommandUnknownOpts[] {
  return command.createHelp().visibleCommands(command).filter((child) =>
    child.name() !== "help" || command.parent === null
  );
}

function renderCommand(command: CommandUnknownOpts, path: string): string {
  const names = command.registeredArguments.map((argument) => {
    const name = `${argument.name()}${argument.variadic ? "..." : ""}`;
    return argument.required ? ` <${name}>` : ` [${name}]`;
  });
  return `- ${code(`${path}${names.join("")}`)}: ${
    escapeText(command.description())
  }`;
}
