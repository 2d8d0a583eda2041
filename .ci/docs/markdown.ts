/** Parts of Markdown pages that are generated. */

/** Part of a page between its two markers, and the page. */
export interface GeneratedPart {
  /** Path of the page, from the root of the project. */
  readonly page: string;
  /** Name in the first marker: `<!-- generated: NAME -->`. */
  readonly name: string;
  /** Renders the part as Markdown; lines need no wrapping. */
  render(): string | Promise<string>;
}

const END = "<!-- /generated -->";

/**
 * Returns `text` with the part `name` replaced by `content`.
 *
 * @throws {Error} If the page does not have both markers once.
 */
export function replacePart(
  text: string,
  name: string,
  content: string,
): string {
  const start = `<!-- generated: ${name} -->`;
  const [before = "", rest, ...others] = text.split(start);
  const end = rest?.indexOf(END) ?? -1;
  if (rest === undefined || end < 0 || others.length > 0) {
    throw new Error(
      `Cannot write "${name}": the page has no such part, expected "${start}" and "${END}" once`,
    );
  }
  return `${before}${start}\n\n${content}\n\n${rest.slice(end)}`;
}

/** Renders a table; `deno fmt` aligns its columns. */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  return [head, head.map(() => "---"), ...rows]
    .map((cells) => `| ${cells.map(escapeCell).join(" | ")} |`).join("\n");
}

/** Renders text as code. */
export function code(text: string): string {
  return `\`${text}\``;
}

/**
 * Renders text so that it has no links, and `<name>` and `*` are not read as Markdown. Code stays as it is. The full stop
 * after a URL is not part of it.
 */
export function escapeText(text: string): string {
  return text.split(/(`[^`]*`|\w+:\/\/[^\s"',;]*[^\s"',;.])/).map(
    (part, at) => {
      if (at % 2 === 0) return part.replaceAll(/[<*]/g, "\\$&");
      return part.startsWith("`") ? part : code(part);
    },
  ).join("");
}

function escapeCell(text: string): string {
  return text.replaceAll("|", "\\|");
}

/** Returns Markdown as `deno fmt` leaves it. */
export async function formatMarkdown(text: string): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", "--ext", "md", "-"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { success, stdout } = await child.output();
  if (!success) throw new Error("Cannot format Markdown: deno fmt failed");
  return new TextDecoder().decode(stdout);
}
