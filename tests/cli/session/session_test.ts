import assert from "node:assert/strict";
import { createApiClient } from "../../support/api.ts";
import { cli } from "../../support/cli.ts";
import { testGrid } from "../../support/grid.ts";

Deno.test("session refresh extends the life of a session by --minutes, or as at its creation", async () => {
  await using grid = await testGrid({ listen: true });
  const at = ["--api-url", grid.url];
  const api = createApiClient(grid);
  await api.pool();
  const { id } = await api.session({
    resource_limits: { timeout_minutes: 10 },
  });
  const minutesFromNow = (time: string) =>
    Math.round((Date.parse(time) - Date.now()) / 60_000);
  const longer = await cli(
    ...["session", "refresh", id, "--minutes", "45", "--json", ...at],
  );
  assert.equal(minutesFromNow(JSON.parse(longer.out).expires_at), 45);
  const same = await cli("session", "refresh", id, ...at);
  const [, until = ""] = /^Session \S+ continues until (\S+)$/.exec(same.out) ??
    [];
  assert.equal(minutesFromNow(until), 10, same.out);
});

Deno.test("a client's key sees and stops only its own sessions", async () => {
  await using grid = await testGrid({
    listen: true,
    settings: { api_key: "admin-key-0123456789" },
  });
  const admin = ["--api-url", grid.url, "--api-key", "admin-key-0123456789"];
  await cli("pool", "create", "local", "--name", "here", ...admin);
  const key = async (name: string) => {
    const { out } = await cli(
      ...["key", "create", name, "--role", "client", ...admin],
    );
    return ["--api-url", grid.url, "--api-key", out];
  };
  const [a, b] = [await key("a"), await key("b")];
  const created = await cli("session", "create", "--json", ...a);
  const { id } = JSON.parse(created.out);
  assert.equal((await cli("session", "list", "--json", ...b)).out, "[]");
  const foreign = await cli("session", "stop", id, ...b);
  assert.deepEqual([foreign.code, foreign.out], [1, ""]);
  const none = await cli("session", "stop", "--all", ...b);
  assert.deepEqual([none.code, none.err], [0, "No session to end"]);
  const all = await cli("session", "stop", "--all", ...a);
  assert.equal(all.out, `Session ${id} is completed`);
});
