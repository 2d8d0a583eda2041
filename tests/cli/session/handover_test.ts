import assert from "node:assert/strict";
import { createApiClient } from "../../support/api.ts";
import { cli } from "../../support/cli.ts";
import { eventually } from "../../support/eventually.ts";
import { testGrid } from "../../support/grid.ts";

Deno.test("session handover prints the link for the person, and with --wait how it ended", async () => {
  await using grid = await testGrid({ listen: true });
  const api = createApiClient(grid);
  await api.pool();
  const { claimed: { id } } = await api.running();
  const path = `/sessions/${id}/handover`;
  const run = (...options: readonly string[]) =>
    cli("session", "handover", id, "--api-url", grid.url, ...options);
  const requested = await run(
    ...["--reason", "Please sign in", "--timeout", "30"],
    ...["--until-url", "*/account", "--until-selector", "#done", "--hold"],
  );
  assert.equal(requested.code, 0, requested.err);
  assert.match(requested.out, /\/live#lv_/);
  const { body } = await api.call("GET", path);
  assert.deepEqual([body.reason, body.hold, body.until], [
    "Please sign in",
    true,
    { url: "*/account", selector: "#done" },
  ]);
  await api.call("DELETE", path);
  for (const [result, code] of [["done", 0], ["declined", 1]] as const) {
    const waiting = run("--reason", "Please sign in", "--wait");
    await eventually("it is open", async () => {
      const { status } = await api.call("POST", `${path}/finish`, {
        result,
        note: "by hand",
      });
      return status === 200 || undefined;
    });
    const ended = await waiting;
    assert.deepEqual([ended.code, ended.out], [code, `${result}: by hand`]);
  }
});
