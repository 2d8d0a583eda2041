/**
 * Lint plugin that holds comments, messages and names to plain technical English. Run by `deno lint`.
 *
 * The list is short on purpose: each word has hidden the meaning of a sentence before.
 *
 * @module
 */

/** Words and phrases, each with what to write in its place. */
const AVOID: readonly (readonly [pattern: RegExp, advice: string])[] = [
  [/\bwho(so)?ever\b/i, "name the caller, client or worker"],
  [/\bnobody\b/i, 'write "no client", "no other process", "nothing"'],
  [/\bbesides\b/i, 'write "in addition to" or "except"'],
  [/\bof none\b/i, 'write "of no ..."'],
  [/\bis to be\b/i, 'write "must be" or "is"'],
  [/\bfor ever\b/i, 'write "indefinitely"'],
  [/\bby (it|them)sel(f|ves)\b/i, 'write "automatically" or "alone"'],
  [/\bmeanwhile\b/i, "name the time: until, while, during"],
  [/\b(is|are|was|were|been|being) told\b/i, "name the message or the report"],
  [/\b(a|one|each|first|last|next) look\b/i, 'write "check", "poll", "read"'],
  [/\blook(s|ed|ing)? (after|at)\b/i, 'write "check", "read", "inspect"'],
  [/\bthat of\b/i, "repeat the noun"],
  [/\bin the way\b|\bthe way (that|in|to)\b/i, 'write "how" or the noun'],
];

/** Openings of a docstring that make it a clause without a statement. */
const HEADLESS = /^\/\*\*?[\s*]*(What|Whether|Who|Whom|Where|How)\s+[a-z]/;

/** Functions are named by verbs: `findKey`, not `keyOf`. */
const NOUN_FUNCTION = /^[a-z]\w*[a-z]Of$/;

/** Longest text of a comment that a message repeats. */
const MAX_QUOTE = 60;

function findFault(text: string): string | undefined {
  for (const [pattern, advice] of AVOID) {
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) return `"${found}": ${advice}`;
  }
}

function checkName(
  context: Deno.lint.RuleContext,
  node: Deno.lint.Node | null,
): void {
  if (node?.type !== "Identifier" || !NOUN_FUNCTION.test(node.name)) return;
  context.report({
    node,
    message:
      `"${node.name}" names a function: use a verb, such as find, parse, to or render`,
  });
}

const plugin: Deno.lint.Plugin = {
  name: "words",
  rules: {
    "plain-comment": {
      create(context) {
        return {
          Program() {
            for (const comment of context.sourceCode.getAllComments()) {
              const text = context.sourceCode.getText(comment);
              const fault = HEADLESS.test(text)
                ? "a docstring states what the thing is or does: a noun, or a verb in the third person"
                : findFault(text.replaceAll(/\s*\n\s*\*?\s*/g, " "));
              if (fault === undefined) continue;
              const quote = text.replaceAll(/[\s*/]+/g, " ").trim()
                .slice(0, MAX_QUOTE);
              context.report({
                range: comment.range,
                message: `In "${quote}": ${fault}`,
              });
            }
          },
        };
      },
    },
    "plain-message": {
      create(context) {
        function check(node: Deno.lint.Node, text: unknown): void {
          const fault = typeof text === "string" && text.includes(" ") &&
            findFault(text);
          if (fault) context.report({ node, message: fault });
        }
        return {
          Literal: (node) => check(node, node.value),
          TemplateElement: (node) => check(node, node.cooked),
        };
      },
    },
    "verb-function": {
      create(context) {
        return {
          FunctionDeclaration: (node) => checkName(context, node.id),
          MethodDefinition: (node) => checkName(context, node.key),
          VariableDeclarator(node) {
            const { init } = node;
            if (
              init?.type === "ArrowFunctionExpression" ||
              init?.type === "FunctionExpression"
            ) checkName(context, node.id);
          },
        };
      },
    },
  },
};

export default plugin;
