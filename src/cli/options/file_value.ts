import { UsageError } from "../exit.ts";

/**
 * Returns the text of an option, or of the file that `@FILE` names, without white space at its end. A secret in a file
 * is in no list of processes and no history of a shell.
 *
 * @throws {UsageError} If the file cannot be read.
 */
export function readFileValue(text: string): string {
  if (!text.startsWith("@")) return text;
  const path = text.slice(1);
  try {
    return Deno.readTextFileSync(path).trimEnd();
  } catch (cause) {
    throw new UsageError(
      `Cannot read "${path}": ${
        explainFailure(cause)
      }, expected @ and the path of a file`,
      { cause },
    );
  }
}

/** Returns why a file cannot be read. Other messages of the runtime repeat the path and name a system call. */
function explainFailure(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "it does not exist";
  if (error instanceof Deno.errors.PermissionDenied) {
    return "this user may not read it";
  }
  if (error instanceof Deno.errors.IsADirectory) return "it is a folder";
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/: \w+ '.*'$/s, "");
}
