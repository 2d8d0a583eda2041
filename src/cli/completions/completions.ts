import { Argument, Command } from "@commander-js/extra-typings";
import { bashCompletions } from "./bash.ts";
import { fishCompletions } from "./fish.ts";
import { zshCompletions } from "./zsh.ts";
import { completionTree } from "./tree.ts";
import { examples } from "../help.ts";
import type { Output } from "../output.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;

const SCRIPTS = {
  bash: bashCompletions,
  zsh: zshCompletions,
  fish: fishCompletions,
} as const;

/** `browsergrid completions SHELL`: the script that completes commands, options and what is known of their values. */
export function completionsCommand(output: Output): Command {
  const command = new Command("completions")
    .description("Print the script by which a shell completes this program")
    .addArgument(
      new Argument("<shell>", "which one").choices(SHELLS),
    )
    .addHelpText(
      "after",
      examples(
        ["completions bash > /etc/bash_completion.d/browsergrid"],
        `In the shell's start file:
  bash  ~/.bashrc                   source <(browsergrid completions bash)
  zsh   ~/.zshrc, after compinit    source <(browsergrid completions zsh)
  fish  ~/.config/fish/config.fish  browsergrid completions fish | source

The script belongs to this version of the program. Ids and names of sessions,
pools, workers and keys come from the configured server; if it does not respond,
none are offered.`,
      ),
    );
  command.action((shell) => {
    const root = command.parent;
    if (!root) throw new TypeError("Cannot complete a command without a root");
    const nodes = completionTree(root as unknown as Command); // Without the types of its own options.
    output.print(SCRIPTS[shell](nodes));
  });
  return command as unknown as Command; // Without the types of its own arguments.
}
