import { toAsyncBody } from "./code.ts";

/** The variables that code at the prompt sees in addition to the globals. Code cannot change the globals. */
export class ShellScope {
  readonly #variables: Record<string, unknown>;
  readonly #scope: object;

  /** @param values The first variables. */
  constructor(values: Readonly<Record<string, unknown>>) {
    this.#variables = { ...values };
    this.#scope = new Proxy(this.#variables, {
      has: (target, name) =>
        name in target || name !== "__keep" && !(name in globalThis),
      get(target, name) {
        if (typeof name === "symbol") return undefined;
        if (name in target) return target[name];
        throw new ReferenceError(`${name} is not defined`);
      },
    });
  }

  /**
   * Runs `code` and resolves with the value of its last expression. Its top-level declarations become variables.
   *
   * @throws {SyntaxError} If the code cannot be parsed. Errors of the code pass.
   */
  async evaluate(code: string): Promise<unknown> {
    const body = toAsyncBody(code);
    // Evaluates the code of the person at the prompt.
    const run = new Function(
      "__scope",
      "__keep",
      `with (__scope) { return (async () => {${body}\n})(); }`,
    );
    const keep = (name: string, value: unknown) => {
      this.#variables[name] = value;
    };
    return await run(this.#scope, keep);
  }

  /** Returns the names that begin with `prefix`, which may be a path such as `api.list`. Calls no getter. */
  complete(prefix: string): readonly string[] {
    const path = prefix.split(".");
    const last = path.pop() ?? "";
    const parent = path.reduce<unknown>(getProperty, this.#variables);
    const names = parent instanceof Object ? Object.keys(parent) : [];
    const before = path.map((name) => `${name}.`).join("");
    return names.filter((name) => name.startsWith(last)).map((name) =>
      before + name
    );
  }
}

/** Returns the value of an own property; undefined if it has a getter. */
function getProperty(value: unknown, name: string): unknown {
  return value instanceof Object
    ? Object.getOwnPropertyDescriptor(value, name)?.value
    : undefined;
}
