/** What text of SQL has in it: whole statements, and what is not ended yet. */
export interface SplitSql {
  /** Each without its semicolon; those that are empty are left out. */
  readonly statements: readonly string[];
  /** What follows the last semicolon, as it is; empty if it is blank or comments only. */
  readonly rest: string;
}

/**
 * One piece that a semicolon does not end inside of (a text, a name in quotes, a comment), or one character. What is
 * begun and not ended reaches to the end.
 */
const PIECE =
  /'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)|`(?:[^`]|``)*(?:`|$)|\[[^\]]*(?:\]|$)|--[^\n]*(?:\n|$)|\/\*[^]*?(?:\*\/|$)|[\w$]+|[^]/g;

const TRIGGER = /^create\s+(?:temp(?:orary)?\s+)?trigger\b/i;

/** Splits SQL where semicolons end a statement: not in texts, names and comments, nor in a trigger's body. */
export function splitSql(text: string): SplitSql {
  const statements: string[] = [];
  let statement = "";
  let code = ""; // The same without comments.
  for (const [piece] of text.matchAll(PIECE)) {
    const isComment = /^(--|\/\*[^]*\*\/$)/.test(piece);
    if (piece !== ";" || isInTrigger(code)) {
      statement += piece;
      if (!isComment) code += piece;
      continue;
    }
    if (code.trim() !== "") statements.push(statement.trim());
    statement = code = "";
  }
  return { statements, rest: code.trim() === "" ? "" : statement };
}

/** A trigger ends with `END;`: the semicolons before it end statements of its body. */
function isInTrigger(code: string): boolean {
  const text = code.trim();
  return TRIGGER.test(text) && !/;\s*end$/i.test(text);
}
