import { Recoverable, start } from "node:repl";
import { join } from "node:path";
import { inspect } from "node:util";
import { escapeText } from "../../core/text.ts";
import { isUnfinished } from "./code.ts";
import type { ShellScope } from "./scope.ts";

/** Lines of earlier prompts that are kept. */
const MAX_HISTORY = 500;

/** A word before the cursor that may be completed. */
const WORD = /[\w$.]*$/;

/** What an interactive prompt is made of. */
export interface ShellPromptOptions {
  readonly scope: ShellScope;
  /** Folder of the history. */
  readonly dataDir: string;
  /** How an error is shown. */
  readonly describe: (error: unknown) => string;
}

/** Asks for code until it is left. An error is shown, and it goes on. */
export async function shellPrompt(
  { scope, dataDir, describe }: ShellPromptOptions,
): Promise<void> {
  const historyFile = join(dataDir, "shell_history");
  const history = await readHistory(historyFile);
  const repl = start({
    prompt: "browsergrid> ",
    ignoreUndefined: true,
    preview: false,
    // Removes colours, which would otherwise be printed as escapes.
    writer: (value) => escapeText(inspect(value)),
    eval: (code, _context, _file, done) =>
      void evaluate(code).then((value) => done(null, value), (error) => {
        if (isUnfinished(error, code)) {
          return done(new Recoverable(error), null);
        }
        repl.output.write(`${escapeText(describe(error))}\n`);
        done(null, undefined);
      }),
    completer: (line: string) => {
      const [word = ""] = WORD.exec(line) ?? [];
      return [scope.complete(word), word];
    },
  });
  // Deno's prompt does not read and write a file of it by itself.
  Object.assign(repl, { history: [...history] });
  using _kept = surviving((error) => {
    repl.output.write(`\nUncaught ${escapeText(describe(error))}\n`);
    repl.displayPrompt();
  });
  await new Promise<void>((resolve) => repl.once("exit", resolve));
  await writeHistory(historyFile, Reflect.get(repl, "history"));

  function evaluate(code: string): Promise<unknown> {
    return scope.evaluate(code);
  }
}

/** What fails in the background of what was typed ends no prompt, while this lasts. */
function surviving(report: (error: unknown) => void): Disposable {
  const onRejection = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    report(event.reason);
  };
  const onError = (event: ErrorEvent) => {
    event.preventDefault();
    report(event.error);
  };
  globalThis.addEventListener("unhandledrejection", onRejection);
  globalThis.addEventListener("error", onError);
  return {
    [Symbol.dispose]() {
      globalThis.removeEventListener("unhandledrejection", onRejection);
      globalThis.removeEventListener("error", onError);
    },
  };
}

async function readHistory(path: string): Promise<readonly string[]> {
  try {
    return (await Deno.readTextFile(path)).split("\n").filter(Boolean);
  } catch {
    return []; // The first time, or a folder that is not ours: no history.
  }
}

async function writeHistory(path: string, lines: unknown): Promise<void> {
  if (!Array.isArray(lines)) return;
  const text = lines.slice(0, MAX_HISTORY).join("\n");
  // Only for its owner: a line may have a secret. Without a folder of data there is nowhere to keep it.
  await Deno.writeTextFile(path, text, { mode: 0o600 }).catch(() => {});
}
