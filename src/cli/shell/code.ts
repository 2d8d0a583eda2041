/**
 * Rewrites one piece of code as the body of an async function, so that the prompt accepts `await` at the top level,
 * keeps declarations for the next piece, and prints the value of the last expression.
 *
 * The default evaluator of Deno's `node:repl` supports no `await` at the top level.
 *
 * @module
 */
import {
  type Expression,
  parse,
  type Program,
  type VariableDeclaration,
} from "acorn";

/** A replacement of the source between two positions. */
interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Returns the function body for `code`. Top-level declarations become assignments. @throws {SyntaxError} If it cannot be parsed. */
export function toAsyncBody(code: string): string {
  const { body } = parse(code, {
    ecmaVersion: "latest",
    allowAwaitOutsideFunction: true,
    preserveParens: true,
  });
  const functions = body.flatMap((node) =>
    node.type === "FunctionDeclaration" ? [node.id.name] : []
  );
  const edits = body.flatMap((node, at) =>
    editNode(node, { code, isLast: at === body.length - 1 })
  );
  const hoisted = functions.map((name) =>
    `__keep(${JSON.stringify(name)}, ${name});`
  );
  return hoisted.join("") + applyEdits(code, edits);
}

/** Reports whether `error` means that `code` may be completed by another line. */
export function isUnfinished(error: unknown, code: string): boolean {
  if (!(error instanceof SyntaxError) || !("pos" in error)) return false;
  if (/^Unterminated (template|comment)/.test(error.message)) return true;
  return error.pos === code.length ||
    code.slice(Number(error.pos)).trim() === "";
}

function editNode(
  node: Program["body"][number],
  { code, isLast }: { readonly code: string; readonly isLast: boolean },
): readonly Edit[] {
  switch (node.type) {
    case "ExpressionStatement":
      return isLast ? returnValue(node.expression, node.end) : [];
    case "VariableDeclaration":
      return [{
        start: node.start,
        end: node.end,
        text: toAssignments(node, code),
      }];
    case "ClassDeclaration":
      return [
        { start: node.start, end: node.start, text: `${node.id.name} = ` },
        { start: node.end, end: node.end, text: ";" },
      ];
    default:
      return [];
  }
}

function returnValue(expression: Expression, end: number): readonly Edit[] {
  return [
    { start: expression.start, end: expression.start, text: "return (" },
    { start: expression.end, end, text: ");" },
  ];
}

function toAssignments(node: VariableDeclaration, code: string): string {
  const each = node.declarations.map(({ id, init }) => {
    const value = init ? code.slice(init.start, init.end) : "undefined";
    return `(${code.slice(id.start, id.end)} = ${value})`;
  });
  // The code before it may have no semicolon and would be called.
  return `;${each.join(", ")};`;
}

function applyEdits(code: string, edits: readonly Edit[]): string {
  let text = "";
  let at = 0;
  for (const edit of edits) {
    text += code.slice(at, edit.start) + edit.text;
    at = edit.end;
  }
  return text + code.slice(at);
}
