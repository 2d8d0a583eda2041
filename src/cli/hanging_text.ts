/** Narrowest column that text is broken for; below it the terminal breaks lines as it likes. */
const MIN_COLUMNS = 24;

/** `text` after `start`, broken between words to fit `width` columns, with its further lines below its first one. */
export function hangingText(
  start: string,
  text: string,
  width: number,
): string {
  const columns = width - start.length;
  if (columns < MIN_COLUMNS) return start + text;
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (longer.length <= columns || line === "") {
      line = longer;
    } else {
      lines.push(line);
      line = word;
    }
  }
  return start + [...lines, line].join(`\n${" ".repeat(start.length)}`);
}
