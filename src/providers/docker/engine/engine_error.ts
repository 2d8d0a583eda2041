/** Returns the engine's own error message, without the client library's prefix. */
export function engineMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const body = "json" in error ? error.json : undefined;
  if (typeof body === "object" && body !== null && "message" in body) {
    return String(body.message).trim();
  }
  const code = "code" in error ? String(error.code) : "";
  if (/ECONNREFUSED|ENOENT|EACCES|EPERM/.test(code + error.message)) {
    return `the engine cannot be reached (${code || error.message})`;
  }
  if (/ECONNRESET|EPIPE/.test(code)) {
    return `the engine broke off the connection (${code})`;
  }
  return error.message.replace(/^\(HTTP code \d+\) .+? - /, "").trim();
}

/** Returns a handler for `catch` that throws an error with `message` and the engine's own message. */
export function rethrowAs(message: string): (error: unknown) => never {
  return (error) => {
    throw new Error(`${message}: ${engineMessage(error)}`, { cause: error });
  };
}

/** Reports whether a failed request cannot have reached the engine, because there was no connection. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof Error && "code" in error &&
    /^(ECONNREFUSED|ENOENT|EACCES|EPERM|ENOTFOUND)$/.test(String(error.code));
}

/** Returns the HTTP status of an engine's error response; undefined if it did not respond. */
export function engineStatus(error: unknown): number | undefined {
  return error instanceof Error && "statusCode" in error &&
      typeof error.statusCode === "number"
    ? error.statusCode
    : undefined;
}
