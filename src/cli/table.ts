import Table from "cli-table3";

/** Limits of a table's layout. */
export interface TableLayout {
  /** Number of columns of the terminal. @default {Infinity} */
  readonly width?: number;
  /** Names of columns that may be omitted if the table is too wide, in the order in which they are dropped. */
  readonly optional?: readonly string[];
}

const NO_LINES = {
  "top": "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  "bottom": "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  "left": "",
  "left-mid": "",
  "mid": "",
  "mid-mid": "",
  "right": "",
  "right-mid": "",
  "middle": "  ",
};

/** Minimum width of a last column that is broken into lines. */
const LEAST_LAST = 20;

/** Minimum width of other columns, while optional columns remain and after they are gone. */
const READABLE = 16;
const LEAST = 8;

/** Columns that name a record. They are never cut. */
const NAMING = /^(id|prefix|field|setting|variable|migration)$/i;

/** Values that are useless when cut: ids and times. */
const INDIVISIBLE =
  /^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[\d:.]+Z?)$/i;

/** A column and its width. */
interface Column {
  readonly name: string;
  readonly cells: readonly string[];
  /** True if the column is never cut. */
  readonly isWhole: boolean;
  width: number;
}

/**
 * Returns the lines of a table below its unchanged head.
 *
 * If the table is too wide, optional columns are omitted, the longest values are cut, and the last column is broken
 * between words. Ids are never cut.
 */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { width = Infinity, optional = [] }: TableLayout = {},
): string {
  const columns = chooseColumns(toColumns(head, rows), width, optional);
  fit(columns, width);
  const table = new Table({
    head: columns.map(({ name }) => name),
    chars: NO_LINES,
    colWidths: columns.map((column) => column.width),
    wordWrap: true,
    wrapOnWordBoundary: true,
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [] },
  });
  table.push(
    ...rows.map((_, at) =>
      columns.map((column) => fitCell(column, at, columns))
    ),
  );
  return table.toString().split("\n").map((line) => line.trimEnd()).join("\n");
}

function toColumns(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): Column[] {
  return head.map((name, at) => {
    const cells = rows.map((row) => row[at] ?? "");
    return {
      name,
      cells,
      isWhole: NAMING.test(name) ||
        cells.some((cell) => INDIVISIBLE.test(cell)),
      width: Math.max(...[name, ...cells].map(measureWidth)),
    };
  });
}

/** Returns the columns that are not omitted. */
function chooseColumns(
  columns: readonly Column[],
  width: number,
  optional: readonly string[],
): Column[] {
  let remaining = [...columns];
  for (const name of optional) {
    if (sumWidths(remaining, atLeast(READABLE)) <= width) break;
    remaining = remaining.filter((column) =>
      column.name.toLowerCase() !== name.toLowerCase()
    );
  }
  return remaining;
}

/** Narrows the last column first, if it is prose, then the widest. */
function fit(columns: readonly Column[], width: number): void {
  for (const last of columns.slice(-1)) {
    if (last.isWhole) continue;
    const over = sumWidths(columns, ({ width }) => width) - width;
    const least = leastLastWidth(last);
    if (over > 0) last.width = Math.max(least, last.width - over);
  }
  const least = atLeast(LEAST);
  for (;;) {
    if (sumWidths(columns, ({ width }) => width) <= width) return;
    const [widest] = columns.slice(0, -1).filter((column) =>
      column.width > least(column)
    ).sort((a, b) => b.width - a.width);
    if (!widest) return;
    widest.width--;
  }
}

/** Returns a measure of a column's minimum width, if columns other than the last may be cut to `least`. */
function atLeast(least: number): Measure {
  return (column, at = 0, all = []) => {
    const { width, isWhole } = column;
    if (isWhole) return width;
    const isLast = at === all.length - 1;
    return isLast ? leastLastWidth(column) : Math.min(width, least);
  };
}

/** Returns the minimum width of the last column: it is broken between words, so its longest word must fit. */
function leastLastWidth({ width, cells }: Column): number {
  const words = cells.flatMap((cell) => cell.split(/\s+/));
  const longest = Math.max(0, ...words.map((word) => word.length));
  return Math.min(width, Math.max(LEAST_LAST, longest));
}

type Measure = (
  column: Column,
  at?: number,
  all?: readonly Column[],
) => number;

function sumWidths(
  columns: readonly Column[],
  measure: Measure,
): number {
  return columns.map((column, at) => measure(column, at, columns)).reduce(
    (total, each) => total + each + 2,
    -2,
  );
}

/** Cuts a cell that is too wide. A cell of the last column is wrapped by the table instead. */
function fitCell(column: Column, at: number, all: readonly Column[]): string {
  const cell = column.cells[at] ?? "";
  const isLast = column === all.at(-1);
  if (isLast || column.isWhole || measureWidth(cell) <= column.width) {
    return cell;
  }
  return cell.split("\n").map((line) =>
    line.length <= column.width
      ? line
      : `${line.slice(0, column.width - 1)}\u2026`
  ).join("\n");
}

/** Returns the width of the longest line. */
function measureWidth(text: string): number {
  return Math.max(...text.split("\n").map((line) => line.length));
}
