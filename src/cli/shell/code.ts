/**
 * Makes one piece of what is typed at the prompt into the body of an async function, as Node's own prompt does it:
 * `await` works at the top, what is declared there is kept for the next piece, and the last expression is the result.
 *
 * @module
 */
import {
  type Expression,
  parse,
  type Program,
  type VariableDeclaration,
} from "acorn";

/** A change of the source between two places. */
interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The body for `code`. Declarations at its top become assignments, for the scope to keep. @throws {SyntaxError} As acorn says it. */
export function asyncBody(code: string): string {
  const { body } = parse(code, {
    ecmaVersion: "latest",
    allowAwaitOutsideFunction: true,
    preserveParens: true,
  });
  const kept = body.flatMap((node) =>
    node.type === "FunctionDeclaration" ? [node.id.name] : []
  );
  const edits = body.flatMap((node, at) =>
    editsOf(node, { code, isLast: at === body.length - 1 })
  );
  const hoisted = kept.map((name) =>
    `__keep(${JSON.stringify(name)}, ${name});`
  );
  return hoisted.join("") + applied(code, edits);
}

/** Whether `error` says that `code` is not finished, so that another line may end it. */
export function isUnfinished(error: unknown, code: string): boolean {
  if (!(error instanceof SyntaxError) || !("pos" in error)) return false;
  if (/^Unterminated (template|comment)/.test(error.message)) return true;
  return error.pos === code.length ||
    code.slice(Number(error.pos)).trim() === "";
}

function editsOf(
  node: Program["body"][number],
  { code, isLast }: { readonly code: string; readonly isLast: boolean },
): readonly Edit[] {
  switch (node.type) {
    case "ExpressionStatement":
      return isLast ? resultEdits(node.expression, node.end) : [];
    case "VariableDeclaration":
      return [{ ...placeOf(node), text: assignments(node, code) }];
    case "ClassDeclaration":
      return [
        { start: node.start, end: node.start, text: `${node.id.name} = ` },
        { start: node.end, end: node.end, text: ";" },
      ];
    default:
      return [];
  }
}

function resultEdits(expression: Expression, end: number): readonly Edit[] {
  return [
    { start: expression.start, end: expression.start, text: "return (" },
    { start: expression.end, end, text: ");" },
  ];
}

function assignments(node: VariableDeclaration, code: string): string {
  const each = node.declarations.map(({ id, init }) => {
    const value = init ? code.slice(init.start, init.end) : "undefined";
    return `(${code.slice(id.start, id.end)} = ${value})`;
  });
  // What stands before it may have no semicolon, and would be called.
  return `;${each.join(", ")};`;
}

function placeOf(
  { start, end }: { readonly start: number; readonly end: number },
) {
  return { start, end };
}

function applied(code: string, edits: readonly Edit[]): string {
  let text = "";
  let at = 0;
  for (const edit of edits) {
    text += code.slice(at, edit.start) + edit.text;
    at = edit.end;
  }
  return text + code.slice(at);
}
