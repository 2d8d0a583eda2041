import { asyncBody } from "./code.ts";

/** Names that code sees besides the global ones, and that it makes. */
export interface ShellScope {
  /** Runs `code` and resolves with the value of its last expression. @throws What the code throws; SyntaxError. */
  evaluate(code: string): Promise<unknown>;
  /** Names that begin with `prefix`, which may be a path such as `api.list`. */
  complete(prefix: string): readonly string[];
}

/** A scope in which the properties of `given` are names. What code declares at its top stays in it; the globals are left alone. */
export function shellScope(
  given: Readonly<Record<string, unknown>>,
): ShellScope {
  const names: Record<string, unknown> = { ...given };
  const scope = new Proxy(names, {
    has: (target, name) =>
      name in target || name !== "__keep" && !(name in globalThis),
    get(target, name) {
      if (typeof name === "symbol") return undefined;
      if (name in target) return target[name];
      throw new ReferenceError(`${name} is not defined`);
    },
  });
  const keep = (name: string, value: unknown) => void (names[name] = value);
  return {
    async evaluate(code) {
      const body = asyncBody(code);
      // The one place that evaluates: the code of the person at the prompt is what this is for.
      const run = new Function(
        "__scope",
        "__keep",
        `with (__scope) { return (async () => {${body}\n})(); }`,
      );
      return await run(scope, keep);
    },
    complete(prefix) {
      const path = prefix.split(".");
      const last = path.pop() ?? "";
      const found = path.length === 0
        ? Object.keys(names)
        : namesOf(path.reduce(memberOf, names));
      const before = path.map((each) => `${each}.`).join("");
      return found.filter((name) => name.startsWith(last)).map((name) =>
        before + name
      );
    },
  };
}

/** The member that is there without running anything: no getter is called. */
function memberOf(value: unknown, name: string): unknown {
  return value instanceof Object
    ? Object.getOwnPropertyDescriptor(value, name)?.value
    : undefined;
}

function namesOf(value: unknown): readonly string[] {
  return value instanceof Object ? Object.keys(value) : [];
}
