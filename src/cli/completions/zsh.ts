import { COMPLETE, NAMED } from "./complete_command.ts";
import {
  type CompletionNode,
  renderPathPatterns,
  renderValueKind,
} from "./tree.ts";

/** Renders the script by which zsh completes the program. It is sourced, or put into a folder of \`fpath\` as \`_browsergrid\`. */
export function renderZshScript(nodes: readonly CompletionNode[]): string {
  return `#compdef browsergrid
# Completions of browsergrid for zsh: source <(browsergrid completions zsh)
_browsergrid_value() { # Prints the value of option $2 of command $1; fails if it takes none.
  case "$1|$2" in
${nodes.flatMap(renderValueCases).join("\n")}
    (*) return 1 ;;
  esac
}

_browsergrid_named() { command "\${words[1]}" ${COMPLETE} "$1" 2> /dev/null }

_browsergrid() {
  local at="" last="" word value i
  local -a commands options
  local named=""
  for ((i = 2; i < CURRENT; i++)); do
    word=\${words[i]}
    if ! _browsergrid_value "$at" "$last" > /dev/null; then
      case "$at $word" in
        (${renderPathPatterns(nodes)}) at="$at $word" ;;
      esac
    fi
    last=$word
  done
  if value=$(_browsergrid_value "$at" "$last"); then
    case $value in
      (file) _files ;;
      (folder) _files -/ ;;
      (text) ;;
      (${NAMED.join("|")}) compadd -- \${(f)"$(_browsergrid_named $value)"} ;;
      (*) compadd -- \${=value} ;;
    esac
    return
  fi
  case "$at" in
${nodes.map(renderNodeCase).join("\n")}
  esac
  if [[ \${words[CURRENT]} != -* && -n $named ]]; then
    compadd -- \${(f)"$(_browsergrid_named $named)"}
    return
  fi
  if [[ \${words[CURRENT]} == -* || \${#commands} -eq 0 ]]; then
    _describe -o option options
  else
    _describe command commands
  fi
}

(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
if [[ $funcstack[1] == _browsergrid ]]; then _browsergrid "$@"; else compdef _browsergrid browsergrid; fi`;
}

function renderValueCases(
  { path, options }: CompletionNode,
): readonly string[] {
  return options.flatMap(({ flags, value }) => {
    if (value === undefined) return [];
    const patterns = flags.map((flag) => `"${path}|${flag}"`).join("|");
    return [`    (${patterns}) print -r -- "${renderValueKind(value)}" ;;`];
  });
}

function renderNodeCase(node: CompletionNode): string {
  const commands = [
    ...node.commands.map((each) => renderEntry(each.name, each.description)),
    ...node.words.map((word) => renderEntry(word, "")),
  ];
  const options = node.options.flatMap(({ flags, description }) =>
    flags.map((flag) => renderEntry(flag, description))
  );
  return `    ("${node.path}") commands=(${commands.join(" ")}) options=(${
    options.join(" ")
  })${node.named ? ` named=${node.named}` : ""} ;;`;
}

/** Renders `name:description` in single quotes. */
function renderEntry(name: string, description: string): string {
  const text = description === ""
    ? name
    : `${name}:${description.replaceAll("\\", "\\\\").replaceAll(":", "\\:")}`;
  return `'${text.replaceAll("'", "'\\''")}'`;
}
