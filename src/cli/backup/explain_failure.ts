import { toMessage } from "../../core/log.ts";
import { readDriverCode } from "../../db/driver_errors.ts";

/** Reasons by the codes of SQLite and the system. */
const REASONS: Readonly<Record<string, string>> = {
  SQLITE_FULL: "the disk is full, expected room for another copy",
  ENOSPC: "the disk is full, expected room for another copy",
  SQLITE_IOERR: "the disk is full or faulty, expected room for another copy",
  SQLITE_CORRUPT: "the file is damaged, expected an undamaged one",
  ENOENT: "there is no such folder, expected an existing one",
  EACCES: "access is denied, expected a folder of this user",
};

/** Returns the error of a copy that failed, with its reason. @param action What failed: `write backup "FILE"`. */
export function explainFailure(action: string, cause: unknown): Error {
  const reason = REASONS[readDriverCode(cause)] ??
    `${toMessage(cause)}, expected a file that can be copied`;
  return new Error(`Cannot ${action}: ${reason}`, { cause });
}
