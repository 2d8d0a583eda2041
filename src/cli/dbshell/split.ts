/** The statements of a text of SQL. */
export interface SplitSql {
  /** Complete statements, without their semicolons and without empty ones. */
  readonly statements: readonly string[];
  /** The text after the last semicolon; empty if it is only blanks and comments. */
  readonly rest: string;
}

/**
 * A piece that may contain semicolons (a text, a quoted name, a comment), a word, or one other character. A piece
 * without an end reaches to the end of the text.
 */
const PIECE =
  /'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)|`(?:[^`]|``)*(?:`|$)|\[[^\]]*(?:\]|$)|--[^\n]*(?:\n|$)|\/\*[^]*?(?:\*\/|$)|[\w$]+|[^]/g;

const TRIGGER = /^create\s+(?:temp(?:orary)?\s+)?trigger\b/i;

/** Splits SQL at the semicolons that end a statement: not in texts, names, comments and the bodies of triggers. */
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

/** Reports whether the code is an unfinished trigger, which ends with `END;`. */
function isInTrigger(code: string): boolean {
  const text = code.trim();
  return TRIGGER.test(text) && !/;\s*end$/i.test(text);
}
