import assert from "node:assert/strict";
import { cli } from "../support/cli.ts";

Deno.test({
  name:
    "commands that write the data folder name the path and the user that may not write it",
  ignore: Deno.build.os !== "linux",
  async fn() {
    // No user may create a folder there.
    const folder = "/sys/browsergrid";
    const worker = ["worker", "--work-pool-id", "any"];
    const key = ["key", "create", "a", "--role", "admin", "--direct"];
    for (const command of [["serve"], worker, ["migrate"], key]) {
      const { code, err } = await cli(...command, "--data-dir", folder);
      assert.equal(code, 1);
      assert.equal(
        err,
        `error: Cannot use "${folder}" as user ${Deno.uid()}: permission denied, expected a data folder of this user: change its owner, or choose another with BROWSERGRID_DATA_DIR`,
      );
    }
  },
});
