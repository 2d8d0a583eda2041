import { COMPLETE, NAMED } from "./complete_command.ts";
import { type CompletionNode, pathPatterns, valueAnswer } from "./tree.ts";

/** The script by which zsh completes the program, to be sourced or put into a folder of \`fpath\` as \`_browsergrid\`. */
export function zshCompletions(nodes: readonly CompletionNode[]): string {
  return `#compdef browsergrid
# Completions of browsergrid for zsh: source <(browsergrid completions zsh)
_browsergrid_value() { # What follows option $2 of command $1; fails if it takes no value.
  case "$1|$2" in
${nodes.flatMap(valueCases).join("\n")}
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
        (${pathPatterns(nodes)}) at="$at $word" ;;
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
${nodes.map(nodeCase).join("\n")}
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

function valueCases({ path, options }: CompletionNode): readonly string[] {
  return options.flatMap(({ flags, value }) => {
    if (value === undefined) return [];
    const patterns = flags.map((flag) => `"${path}|${flag}"`).join("|");
    return [`    (${patterns}) print -r -- "${valueAnswer(value)}" ;;`];
  });
}

function nodeCase(node: CompletionNode): string {
  const commands = [
    ...node.commands.map((each) => described(each.name, each.description)),
    ...node.words.map((word) => described(word, "")),
  ];
  const options = node.options.flatMap(({ flags, description }) =>
    flags.map((flag) => described(flag, description))
  );
  return `    ("${node.path}") commands=(${commands.join(" ")}) options=(${
    options.join(" ")
  })${node.named ? ` named=${node.named}` : ""} ;;`;
}

/** `'name:description'` in single quotes. */
function described(name: string, description: string): string {
  const text = description === ""
    ? name
    : `${name}:${description.replaceAll("\\", "\\\\").replaceAll(":", "\\:")}`;
  return `'${text.replaceAll("'", "'\\''")}'`;
}
