/** Something happened that must never happen. */
export class Violation extends Error {
  override readonly name = "Violation";
  /** Which rule was broken, as a sentence. */
  readonly rule: string;

  constructor(rule: string, detail: string) {
    super(`${rule}: ${detail}`);
    this.rule = rule;
  }
}
