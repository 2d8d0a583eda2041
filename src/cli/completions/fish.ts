import { COMPLETE, type NamedRecord } from "./complete_command.ts";
import type { CompletionNode, CompletionOption } from "./tree.ts";

/** Renders the script by which fish completes the program. */
export function renderFishScript(nodes: readonly CompletionNode[]): string {
  return `# Completions of browsergrid for fish: browsergrid completions fish | source
function __browsergrid_at # Succeeds if the command that is being typed is $argv[1].
    set -l at ""
    for word in (commandline -opc)[2..-1]
        switch "$at $word"
            case ${renderPaths(nodes)}
                set at "$at $word"
        end
    end
    test "$at" = "$argv[1]"
end

function __browsergrid_named # Prints ids and names of the kind $argv[1], from the server.
    set -l words (commandline -opc)
    command $words[1] ${COMPLETE} $argv[1] 2>/dev/null
end

complete -c browsergrid -f
${nodes.flatMap(renderNode).join("\n")}`;
}

function renderPaths(nodes: readonly CompletionNode[]): string {
  return nodes.filter(({ path }) => path !== "").map(({ path }) => quote(path))
    .join(" ");
}

function renderNode(node: CompletionNode): readonly string[] {
  const start = `complete -c browsergrid -n ${
    quote(`__browsergrid_at "${node.path}"`)
  }`;
  return [
    ...node.commands.map(({ name, description }) =>
      `${start} -a ${quote(name)} -d ${quote(description)}`
    ),
    ...(node.named
      ? [`${start} -a ${quote(renderNamesCommand(node.named))}`]
      : []),
    ...node.words.map((word) => `${start} -a ${quote(word)}`),
    ...node.options.map((option) => `${start} ${renderOption(option)}`),
  ];
}

function renderOption({ flags, description, value }: CompletionOption): string {
  const names = flags.map((flag) =>
    flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`
  );
  return `${names.join(" ")} -d ${quote(description)}${renderValue(value)}`;
}

function renderValue(value: CompletionOption["value"]): string {
  switch (value?.kind) {
    case undefined:
      return "";
    case "choice":
      return ` -xa ${quote(value.choices.join(" "))}`;
    case "file":
      return " -rF";
    case "folder":
      return " -xa '(__fish_complete_directories)'";
    case "text":
      return " -x";
    case "sessions":
    case "pools":
    case "workers":
    case "keys":
    case "webhooks":
      return ` -xa ${quote(renderNamesCommand(value.kind))}`;
  }
}

/** Returns the command that fish runs to complete names of that kind. */
function renderNamesCommand(named: NamedRecord): string {
  return `(__browsergrid_named ${named})`;
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
