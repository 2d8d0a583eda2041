import { COMPLETE, type Named } from "./complete_command.ts";
import type { CompletionNode, CompletionOption } from "./tree.ts";

/** The script by which fish completes the program. */
export function fishCompletions(nodes: readonly CompletionNode[]): string {
  return `# Completions of browsergrid for fish: browsergrid completions fish | source
function __browsergrid_at # Whether the command that is being typed is $argv[1].
    set -l at ""
    for word in (commandline -opc)[2..-1]
        switch "$at $word"
            case ${paths(nodes)}
                set at "$at $word"
        end
    end
    test "$at" = "$argv[1]"
end

function __browsergrid_named # Ids and names of what $argv[1] says, from the server.
    set -l words (commandline -opc)
    command $words[1] ${COMPLETE} $argv[1] 2>/dev/null
end

complete -c browsergrid -f
${nodes.flatMap(lines).join("\n")}`;
}

function paths(nodes: readonly CompletionNode[]): string {
  return nodes.filter(({ path }) => path !== "").map(({ path }) => quoted(path))
    .join(" ");
}

function lines(node: CompletionNode): readonly string[] {
  const start = `complete -c browsergrid -n ${
    quoted(`__browsergrid_at "${node.path}"`)
  }`;
  return [
    ...node.commands.map(({ name, description }) =>
      `${start} -a ${quoted(name)} -d ${quoted(description)}`
    ),
    ...(node.named ? [`${start} -a ${quoted(idsOf(node.named))}`] : []),
    ...node.words.map((word) => `${start} -a ${quoted(word)}`),
    ...node.options.map((option) => `${start} ${optionOf(option)}`),
  ];
}

function optionOf({ flags, description, value }: CompletionOption): string {
  const names = flags.map((flag) =>
    flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`
  );
  return `${names.join(" ")} -d ${quoted(description)}${valueOf(value)}`;
}

function valueOf(value: CompletionOption["value"]): string {
  switch (value?.kind) {
    case undefined:
      return "";
    case "choice":
      return ` -xa ${quoted(value.choices.join(" "))}`;
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
      return ` -xa ${quoted(idsOf(value.kind))}`;
  }
}

/** Returns the command that fish runs to complete names of that kind. */
function idsOf(named: Named): string {
  return `(__browsergrid_named ${named})`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
