import type { Command as CommanderCommand } from "commander";
import { type Command, defineCommand } from "../command.ts";
import { choice } from "../options/argument_types.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;

/** Loads the renderer of a shell's script. */
const RENDERERS = {
  bash: async () => (await import("./bash.ts")).renderBashScript,
  zsh: async () => (await import("./zsh.ts")).renderZshScript,
  fish: async () => (await import("./fish.ts")).renderFishScript,
} as const;

/** Declares `browsergrid completions SHELL`, which prints a script that completes the commands of `program`. */
export function completionsCommand(program: CommanderCommand): Command {
  return defineCommand({
    name: "completions",
    description: "Print the script by which a shell completes this program",
    arguments: { shell: choice(SHELLS, "which one") },
    examples: ["completions bash > /etc/bash_completion.d/browsergrid"],
    notes: `In the shell's start file:
  bash  ~/.bashrc                   source <(browsergrid completions bash)
  zsh   ~/.zshrc, after compinit    source <(browsergrid completions zsh)
  fish  ~/.config/fish/config.fish  browsergrid completions fish | source

The script belongs to this version of the program. Ids and names of sessions,
pools, workers, keys and webhooks come from the configured server; if it does
not respond, none are offered.`,
    async run({ shell }, { output }) {
      const { listCompletions } = await import("./tree.ts");
      const render = await RENDERERS[shell]();
      output.print(render(await listCompletions(program)));
    },
  });
}
