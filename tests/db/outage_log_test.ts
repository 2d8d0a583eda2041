import assert from "node:assert/strict";
import {
  databaseBusy,
  databaseUnavailable,
} from "../../src/db/driver_errors.ts";
import { createOutageLog } from "../../src/db/outage_log.ts";
import { logRecords } from "../support/log_records.ts";

Deno.test("an outage is logged once with its reason, and its end", async () => {
  await using logged = await logRecords();
  const log = createOutageLog("write");
  const reason = new Error("disk full");
  log.worked();
  log.failed(new Error("a constraint, not an outage"));
  log.failed(databaseUnavailable(reason));
  log.failed(databaseBusy());
  log.worked();
  log.worked();
  // On and off again: not more than one line in 10 s.
  log.failed(databaseUnavailable(reason));
  log.worked();
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
