import { type Command, defineCommand } from "../command.ts";
import { optionalWord, word } from "../options/argument_types.ts";

/** `browsergrid backup`. */
export const backupCommand: Command = defineCommand({
  name: "backup",
  description: "Copy the database to a file, also while servers use it",
  arguments: {
    file: optionalWord(
      "the new file, or a folder (browsergrid-TIME.db in this folder)",
    ),
  },
  async options() {
    const { backupOptions } = await import("./options.ts");
    return backupOptions();
  },
  examples: [
    "backup",
    "backup /var/backups/browsergrid.db --force",
    "backup /mnt/backups --json",
  ],
  notes:
    `The copy is consistent, and servers continue to write. It has the secrets in
encrypted form: back up their key, the file encryption.key, separately.`,
  async run(options, context) {
    const { backUp } = await import("./backup.ts");
    await backUp(options, context);
  },
});

/** `browsergrid restore`. */
export const restoreCommand: Command = defineCommand({
  name: "restore",
  description: "Replace the database by a backup; servers must be stopped",
  arguments: { file: word("a file of browsergrid backup") },
  async options() {
    const { restoreOptions } = await import("./options.ts");
    return restoreOptions();
  },
  examples: [
    "restore browsergrid-20261130T101500Z.db",
    "restore /var/backups/browsergrid.db --yes --data-dir /var/lib/browsergrid",
  ],
  notes: "The replaced database is kept beside the new one.",
  async run(options, context) {
    const { restore } = await import("./restore.ts");
    await restore(options, context);
  },
});
