/** Exit codes of the program. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  /** 128 + SIGINT, as shells report a program that Ctrl+C has ended. */
  interrupted: 130,
} as const;

/** Exit codes and their meaning, for the help of the program. */
export const EXIT_CODES = `Exit codes:
  0    done; "check": everything needed for a start is present
  1    failed: the server, the database or the browser refused or did not
       respond
  2    wrong usage: an unknown command or option, or a value or setting that is
       missing or wrong
  130  stopped by Ctrl+C before it was done; "serve" and "worker": by a second
       one`;

/** A command line that is used wrongly, such as an option with a wrong value. Ends the program with code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** A command that stopped at the first Ctrl+C before it was done. Ends the program with code 130. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";
}
