import type { Command } from "commander";
import { renderBashScript } from "./bash.ts";
import { renderFishScript } from "./fish.ts";
import { listCompletions } from "./tree.ts";
import { renderZshScript } from "./zsh.ts";

const RENDERERS = {
  bash: renderBashScript,
  zsh: renderZshScript,
  fish: renderFishScript,
} as const;

/** Renders the script by which a shell completes the commands of `program`. */
export async function renderCompletions(
  shell: keyof typeof RENDERERS,
  program: Command,
): Promise<string> {
  return RENDERERS[shell](await listCompletions(program));
}
