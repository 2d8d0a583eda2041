/** Exit codes of the program. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  /** 128 + SIGINT, as a shell says it of a program that Ctrl+C has ended. */
  interrupted: 130,
} as const;

/** What the exit codes mean, for the root's help. */
export const EXIT_CODES = `Exit codes:
  0    done; "check": nothing that is needed is missing
  1    failed: the server, the database or the browser refused, or is not there
  2    wrong usage: an unknown command or option, a value or setting that is
       missing or wrong
  130  stopped by Ctrl+C before it was done; "serve" and "worker": by a second
       one`;

/** A command line that was used wrongly: a value of an option or argument that is none. Ends with code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** What was under way was given up at the first Ctrl+C. Ends with code 130. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";
}

/** The end of a command's help: what must be known of it, and command lines as they are typed, without the program's name. */
export function examples(lines: readonly string[], note?: string): string {
  const shown = lines.map((line) => `  browsergrid ${line}`);
  return `\n${note === undefined ? "" : `${note}\n\n`}Examples:\n${
    shown.join("\n")
  }`;
}
