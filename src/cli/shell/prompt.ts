import { Recoverable, start } from "node:repl";
import { join } from "node:path";
import { inspect } from "node:util";
import { escapeText } from "../../core/text.ts";
import { isUnfinished } from "./code.ts";
import type { ShellScope } from "./scope.ts";

/** Maximum number of lines of the history. */
const MAX_HISTORY = 500;

/** The word before the cursor. */
const WORD = /[\w$.]*$/;

/** Options of {@linkcode promptForCode}. */
export interface ShellPromptOptions {
  readonly scope: ShellScope;
  /** Folder of the history. */
  readonly dataDir: string;
  readonly renderError: (error: unknown) => string;
}

/** Prompts for code until the user leaves. Errors are printed and do not end it. */
export async function promptForCode(
  { scope, dataDir, renderError }: ShellPromptOptions,
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
      void scope.evaluate(code).then((value) => done(null, value), (error) => {
        if (isUnfinished(error, code)) {
          return done(new Recoverable(error), null);
        }
        repl.output.write(`${escapeText(renderError(error))}\n`);
        done(null, undefined);
      }),
    completer: (line: string) => {
      const [word = ""] = WORD.exec(line) ?? [];
      return [scope.complete(word), word];
    },
  });
  // setupHistory() of Deno's node:repl does nothing.
  Object.assign(repl, { history: [...history] });
  using _handler = catchBackgroundErrors((error) => {
    repl.output.write(`\nUncaught ${escapeText(renderError(error))}\n`);
    repl.displayPrompt();
  });
  await new Promise<void>((resolve) => repl.once("exit", resolve));
  await writeHistory(historyFile, Reflect.get(repl, "history"));
}

/** Reports errors that code causes in the background, which would end the program, until disposed. */
function catchBackgroundErrors(report: (error: unknown) => void): Disposable {
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
    return []; // There is no history yet, or its folder cannot be read.
  }
}

async function writeHistory(path: string, lines: unknown): Promise<void> {
  if (!Array.isArray(lines)) return;
  const text = lines.slice(0, MAX_HISTORY).join("\n");
  // Only the owner may read it, because a line may contain a secret. It is not saved if the folder is missing.
  await Deno.writeTextFile(path, text, { mode: 0o600 }).catch(() => {});
}
