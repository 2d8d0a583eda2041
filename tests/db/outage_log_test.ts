import assert from "node:assert/strict";
import {
  databaseBusy,
  databaseUnavailable,
} from "../../src/db/driver_errors.ts";
import { OutageLog } from "../../src/db/outage_log.ts";
import { logRecords } from "../support/log_records.ts";

Deno.test("an outage is logged once with its reason, and its end", async () => {
  await using logged = await logRecords();
  const log = new OutageLog("write");
  const reason = new Error("disk full");
  log.recordSuccess();
  log.recordFailure(new Error("a constraint, not an outage"));
  log.recordFailure(databaseUnavailable(reason));
  log.recordFailure(databaseBusy());
  log.recordSuccess();
  log.recordSuccess();
  // On and off again: not more than one line in 10 s.
  log.recordFailure(databaseUnavailable(reason));
  log.recordSuccess();
  assert.deepEqual(
    logged.records.map(({ level, rawMessage, properties }) => [
      level,
      rawMessage,
      properties,
    ]),
    [
      ["error", "Cannot {kind} the database: {error}", {
        kind: "write",
        error: reason,
      }],
      ["info", "The database can {kind} again", { kind: "write" }],
    ],
  );
});
