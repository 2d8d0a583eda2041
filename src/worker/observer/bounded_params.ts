/** Maximum length of the JSON of parameters that the server accepts. */
const MAX_LENGTH = 16_384;

/** Limits of the parts of parameters. */
interface Limits {
  readonly depth: number;
  /** Maximum number of members of an object or items of a list. */
  readonly items: number;
  /** Maximum length of a text. */
  readonly text: number;
}

/** Limits that are applied in turn until the parameters are short enough. The server accepts 32 levels. */
const LIMITS: readonly Limits[] = [
  { depth: 30, items: Infinity, text: MAX_LENGTH },
  { depth: 12, items: 50, text: 1_000 },
  { depth: 6, items: 20, text: 200 },
];

/** Parameters as they are sent. */
export interface BoundedParams {
  readonly params: Readonly<Record<string, unknown>>;
  /** True if long parts are missing. */
  readonly truncated: boolean;
}

/** Returns parameters of at most 16 KB of JSON, with text that a database stores unchanged. */
export function boundParams(
  params: Readonly<Record<string, unknown>>,
): BoundedParams {
  for (const limits of LIMITS) {
    const cutter = new Cutter(limits);
    const bounded = cutter.cutObject(params, limits.depth);
    if (JSON.stringify(bounded).length <= MAX_LENGTH) {
      return { params: bounded, truncated: cutter.hasCut };
    }
  }
  return { params: {}, truncated: true };
}

/** Copies values within limits. */
class Cutter {
  hasCut = false;
  readonly #limits: Limits;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  cutObject(value: object, depth: number): Record<string, unknown> {
    const entries = this.#takeItems(Object.entries(value));
    return Object.fromEntries(
      entries.map(([name, each]) => [
        this.#cutText(name),
        this.#cut(each, depth - 1),
      ]),
    );
  }

  #cut(value: unknown, depth: number): unknown {
    if (typeof value === "string") return this.#cutText(value);
    if (typeof value !== "object" || value === null) return value;
    if (depth <= 0) {
      this.hasCut = true;
      return null;
    }
    return Array.isArray(value)
      ? this.#takeItems(value).map((each) => this.#cut(each, depth - 1))
      : this.cutObject(value, depth);
  }

  #takeItems<T>(items: readonly T[]): readonly T[] {
    if (items.length <= this.#limits.items) return items;
    this.hasCut = true;
    return items.slice(0, this.#limits.items);
  }

  #cutText(text: string): string {
    const isLong = text.length > this.#limits.text;
    if (isLong) this.hasCut = true;
    return (isLong ? text.slice(0, this.#limits.text) : text)
      .replaceAll("\0", "").toWellFormed();
  }
}
