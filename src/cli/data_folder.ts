import { join } from "node:path";
import type { Settings } from "../core/settings.ts";

/** Why a path cannot be used, by the code of the error. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "its file system is read-only",
};

/**
 * Creates the data folder if it is missing. Its calls are synchronous: others would wait for a thread at each start.
 *
 * @throws {Error} If this user may not write it, or if the key in it belongs to another user. It names path and user.
 */
export function createDataFolder(
  { data_dir }: Pick<Settings, "data_dir">,
): void {
  explain(data_dir, () => {
    Deno.mkdirSync(data_dir, { recursive: true });
    Deno.removeSync(Deno.makeTempFileSync({ dir: data_dir }));
  });
  // The database itself is not opened: closing it would end the locks of this process.
  const key = join(data_dir, "encryption.key");
  explain(key, () => {
    try {
      Deno.openSync(key).close();
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  });
}

/** Runs `act`, and explains why it may not use `path`. */
function explain(path: string, act: () => void): void {
  try {
    act();
  } catch (cause) {
    const reason = REASONS[readCode(cause)];
    if (reason === undefined) throw cause;
    const user = Deno.uid() === null ? "" : ` as user ${Deno.uid()}`;
    throw new Error(
      `Cannot use "${path}"${user}: ${reason}, expected a data folder of this user: change its owner, or choose another with BROWSERGRID_DATA_DIR`,
      { cause },
    );
  }
}

function readCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
