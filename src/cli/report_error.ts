import { ApiError } from "../client/api_error.ts";
import { unwrapQueryError } from "../core/errors.ts";
import { describeError, toMessage } from "../core/log.ts";
import { SettingsError } from "../core/settings.ts";
import { EXIT, InterruptedError, UsageError } from "./exit.ts";
import type { Output } from "./output.ts";

/** Prints the error that ended a command, with its stack on request, and returns the exit code. */
export function reportError(
  thrown: unknown,
  output: Output,
  { stack }: { readonly stack: boolean },
): number {
  const error = unwrapQueryError(thrown);
  output.error(renderError(error));
  if (stack) output.error(renderStack(error));
  return toExitCode(error);
}

function toExitCode(error: unknown): number {
  if (error instanceof InterruptedError) return EXIT.interrupted;
  const isUsage = error instanceof UsageError || error instanceof SettingsError;
  return isUsage ? EXIT.usage : EXIT.failed;
}

function renderError(error: unknown): string {
  if (error instanceof ApiError) {
    return `error: ${error.message} [${error.code}]`;
  }
  return `error: ${toMessage(error)}`;
}

function renderStack(error: unknown): string {
  return error instanceof Error && error.stack
    ? error.stack
    : describeError(error);
}
