import { Command } from "@commander-js/extra-typings";
import { findNearest } from "../core/nearest.ts";
import { examples, UsageError } from "./help.ts";

/** `browsergrid help [command...]`: shows the help of a command at any depth. */
export function helpCommand(program: Command): Command {
  const command = new Command("help")
    .description("Show the help of a command")
    .argument("[command...]", "such as pool create docker")
    .addHelpText("after", examples(["help", "help pool create docker"]));
  command.action((path) => {
    let found = program;
    for (const name of path) found = childOf(found, name);
    found.outputHelp();
  });
  return command as unknown as Command; // Drops the types of its options.
}

function childOf(command: Command, name: string): Command {
  const children = command.commands.map((each) => each as Command); // Commander's list has no types of options.
  const child = children.find((each) =>
    each.name() === name || each.aliases().includes(name)
  );
  if (child) return child;
  const names = children.flatMap((each) => [each.name(), ...each.aliases()]);
  const near = findNearest(name, names);
  throw new UsageError(
    `Cannot show the help of "${name}": there is no such command${
      near === undefined ? "" : `, did you mean "${near}"?`
    }${
      names.length > 0 && near === undefined
        ? `, expected one of ${names.join(", ")}`
        : ""
    }`,
  );
}
