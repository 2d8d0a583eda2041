/** Minimum width of a column of wrapped text. In a narrower one, the terminal wraps it. */
export const MIN_COLUMNS = 24;

/** Returns `text` after `start`, wrapped at `width` columns, with its lines indented to its first one. */
export function wrapText(
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
