import { systemClock } from "../../../async/clock.ts";
import { readSmallFile } from "../../kit/read_small_file.ts";
import { toReason } from "./api_error.ts";

/** Time for which a token is used before its file is read again. The kubelet replaces it before it expires. */
const TOKEN_MS = 60_000;

/** Maximum size of a file with a token. */
const MAX_TOKEN_BYTES = 65_536;

/** A bearer token, which may be replaced while the program runs. */
export interface TokenSource {
  /** Returns the token. */
  read(options?: {
    /** True if the server has rejected the last one. */
    readonly isRejected: boolean;
  }): Promise<string>;
}

/** Returns a source of a token that does not change. */
export function fixedToken(token: string): TokenSource {
  return { read: () => Promise.resolve(token) };
}

/** Returns a source that reads a token from a file, again every minute and after a rejection. */
export function fileToken(path: string): TokenSource {
  let last: { readonly token: string; readonly at: number } | undefined;
  return {
    async read({ isRejected } = { isRejected: false }) {
      const isFresh = last && !isRejected &&
        systemClock.monotonic() - last.at < TOKEN_MS;
      if (last && isFresh) return last.token;
      const token = await readToken(path);
      last = { token, at: systemClock.monotonic() };
      return token;
    },
  };
}

async function readToken(path: string): Promise<string> {
  try {
    return (await readSmallFile(path, MAX_TOKEN_BYTES)).trim();
  } catch (cause) {
    throw new Error(
      `Cannot read the token "${path}": ${
        toReason(cause)
      }, expected a file with a token`,
      { cause },
    );
  }
}
