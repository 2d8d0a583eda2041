import assert from "node:assert/strict";
import { Hono } from "hono";
import { createAddressReader } from "../../../src/http/server/client_address.ts";
import type { GridBindings, GridEnv } from "../../../src/core/middleware.ts";
import { loadSettings } from "../../../src/core/settings.ts";

const PROXIES = ["10.0.0.0/8", "::1", "fd00::/8"];

async function readAddress(
  bindings: GridBindings,
  forwarded?: string,
  proxies: readonly string[] = PROXIES,
): Promise<string | undefined> {
  let found: string | undefined;
  const addressOf = createAddressReader(proxies);
  const app = new Hono<GridEnv>().get("/", (c) => {
    found = addressOf(c);
    return c.body(null);
  });
  const headers = forwarded === undefined
    ? {}
    : { "x-forwarded-for": forwarded };
  await app.request("/", { headers }, bindings);
  return found;
}

function from(
  remoteAddress: string,
  forwarded?: string,
  proxies?: readonly string[],
) {
  return readAddress(
    { incoming: { socket: { remoteAddress } } },
    forwarded,
    proxies,
  );
}

Deno.test("the client's address is the address of the connection, regardless of its headers", async () => {
  assert.equal(await from("192.0.2.1", "1.2.3.4"), "192.0.2.1");
  assert.equal(await from("10.0.0.1", "1.2.3.4", []), "10.0.0.1");
  assert.equal(await from("::ffff:192.0.2.1"), "192.0.2.1");
});

Deno.test("behind trusted proxies it is the last address in X-Forwarded-For that is not a proxy", async () => {
  assert.equal(await from("10.0.0.1", "1.2.3.4"), "1.2.3.4");
  assert.equal(await from("10.0.0.1", "9.9.9.9, 1.2.3.4, 10.0.0.2"), "1.2.3.4");
  assert.equal(await from("::ffff:10.0.0.1", "1.2.3.4"), "1.2.3.4");
  assert.equal(
    await from("::1", "fd00::5, 2001:DB8::1,fd00::6"),
    "2001:db8::1",
  );
  assert.equal(await from("10.0.0.1", "10.0.0.3, 10.0.0.2"), "10.0.0.3");
});

Deno.test("addresses in X-Forwarded-For may have a port", async () => {
  assert.equal(await from("10.0.0.1", "1.2.3.4:5678"), "1.2.3.4");
  assert.equal(await from("10.0.0.1", "[2001:db8::1]:443"), "2001:db8::1");
  assert.equal(await from("10.0.0.1", "[2001:db8::1]"), "2001:db8::1");
});

Deno.test("addresses before an invalid one in X-Forwarded-For are ignored", async () => {
  for (
    const garbage of [
      "",
      "unknown",
      "_hidden",
      "1.2.3",
      "127.1",
      "1",
      "999.1.1.1",
      "1.2.3.4.5",
      "a:b:c",
      "<script>",
    ]
  ) {
    assert.equal(
      await from("10.0.0.1", `1.2.3.4, ${garbage}`),
      "10.0.0.1",
      garbage,
    );
    assert.equal(
      await from("10.0.0.1", `1.2.3.4, ${garbage}, 10.0.0.2`),
      "10.0.0.2",
      garbage,
    );
  }
});

Deno.test("only the last addresses of a very long list are read", async () => {
  const many = `1.2.3.4, ${Array(10_000).fill("10.0.0.2").join(", ")}`;
  assert.equal(await from("10.0.0.1", many), "10.0.0.2");
});

Deno.test("the address is known under Deno.serve too, and undefined if the platform does not provide it", async () => {
  const remoteAddr = { transport: "tcp", hostname: "192.0.2.1", port: 1 };
  assert.equal(await readAddress({ remoteAddr }), "192.0.2.1");
  assert.equal(await readAddress({}, "1.2.3.4"), undefined);
});

Deno.test("the setting trusted_proxies accepts only addresses and networks", () => {
  const load = (value: string) =>
    loadSettings({
      defaults: { data_dir: "/data" },
      env: { BROWSERGRID_TRUSTED_PROXIES: value },
      flags: {},
    }).settings.trusted_proxies;
  assert.deepEqual(load('["10.0.0.0/8", "::1"]'), ["10.0.0.0/8", "::1"]);
  for (const wrong of ['["10.0.0.0/99"]', '["proxy.example"]', "10.0.0.0/8"]) {
    assert.throws(() => load(wrong), {
      name: "SettingsError",
      message: /trusted_proxies/,
    });
  }
});
