import { COMPLETE, NAMED } from "./complete_command.ts";
import {
  type CompletionNode,
  renderPathPatterns,
  renderValueKind,
} from "./tree.ts";

/** Renders the script by which bash completes the program. It has no dependency and works in bash 3.2 too. */
export function renderBashScript(nodes: readonly CompletionNode[]): string {
  return `# Completions of browsergrid for bash: source <(browsergrid completions bash)
_browsergrid_value() { # Prints the value of option $2 of command $1; fails if it takes none.
  case "$1|$2" in
${nodes.flatMap(renderValueCases).join("\n")}
    *) return 1 ;;
  esac
}

_browsergrid_named() { command "\${COMP_WORDS[0]}" ${COMPLETE} "$1" 2> /dev/null; }

_browsergrid() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
  local at="" last="" word value i words="" options="" named=""
  if [[ $cur == "=" ]]; then cur=""; elif [[ $prev == "=" ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}; fi
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if ! _browsergrid_value "$at" "$last" > /dev/null; then
      case "$at $word" in
        ${renderPathPatterns(nodes)}) at="$at $word" ;;
      esac
    fi
    last=$word
  done
  if value=$(_browsergrid_value "$at" "$prev"); then
    case $value in
      file) COMPREPLY=($(compgen -f -- "$cur")) ;;
      folder) COMPREPLY=($(compgen -d -- "$cur")) ;;
      text) ;;
      ${
    NAMED.join("|")
  }) COMPREPLY=($(compgen -W "$(_browsergrid_named $value)" -- "$cur")) ;;
      *) COMPREPLY=($(compgen -W "$value" -- "$cur")) ;;
    esac
    return
  fi
  case "$at" in
${nodes.map(renderWordsCase).join("\n")}
  esac
  if [[ $cur != -* && -n $named ]]; then words=$(_browsergrid_named $named); fi
  if [[ $cur == -* || -z $words ]]; then words=$options; fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}

complete -o filenames -F _browsergrid browsergrid`;
}

function renderValueCases(
  { path, options }: CompletionNode,
): readonly string[] {
  return options.flatMap(({ flags, value }) => {
    if (value === undefined) return [];
    const patterns = flags.map((flag) => `"${path}|${flag}"`).join("|");
    return [`    ${patterns}) echo "${renderValueKind(value)}" ;;`];
  });
}

function renderWordsCase(node: CompletionNode): string {
  const words = [...node.commands.map(({ name }) => name), ...node.words];
  const options = node.options.flatMap(({ flags }) => flags);
  return `    "${node.path}") words="${words.join(" ")}" options="${
    options.join(" ")
  }"${node.named ? ` named="${node.named}"` : ""} ;;`;
}
