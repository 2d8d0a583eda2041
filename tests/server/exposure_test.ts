import assert from "node:assert/strict";
import type { Role } from "../../src/core/caller.ts";
import { loadSettings } from "../../src/core/settings.ts";
import { KeyAuth } from "../../src/http/auth/auth.ts";
import type { Provider } from "../../src/core/provider.ts";
import {
  rejectExposure,
  rejectUnisolatedHost,
} from "../../src/server/exposure.ts";
import { createFakeProvider } from "../support/fake_provider.ts";

const IN_USE = true;
const NOT_IN_USE = false;

/** Checks the exposure of a server at `host`, with an API key or without. */
async function check(
  host: string,
  apiKey: string | undefined,
  isUsed = IN_USE,
): Promise<void> {
  const { settings } = loadSettings({
    defaults: { data_dir: "." },
    env: {},
    flags: { host },
  });
  await rejectExposure({ settings, auth: new KeyAuth(apiKey) }, isUsed);
}

Deno.test("loopback needs no key, however it is written", async () => {
  for (const host of ["127.0.0.1", "127.9.8.7", "localhost", "::1"]) {
    await check(host, undefined);
    await check(host, undefined, NOT_IN_USE);
  }
});

Deno.test("any other address needs a key, and the error says how to set one", async () => {
  for (const host of ["0.0.0.0", "::", "192.0.2.1", "grid.example"]) {
    await check(host, "key-0123456789");
    await assert.rejects(check(host, undefined), ({ name, message }) => {
      assert.equal(name, "SettingsError");
      assert.ok(message.startsWith(`Cannot listen on ${host}: `), message);
      assert.match(message, /BROWSERGRID_API_KEY/);
      assert.match(message, /browsergrid key create admin --role admin/);
      assert.match(message, /127\.0\.0\.1/);
      return true;
    });
  }
});

Deno.test("a key does not help while the middleware that checks it is off", async () => {
  await assert.rejects(check("0.0.0.0", "key-0123456789", NOT_IN_USE), {
    name: "SettingsError",
    message: /middleware "api_key" is not in use/,
  });
});

/** A provider whose sessions can be isolated if `problem` is undefined. */
function createProvider(problem: string | undefined): Provider {
  return {
    ...createFakeProvider(),
    isolationProblem: () => Promise.resolve(problem),
  };
}

const CLIENTS = createKeys(["client"]);
const NO_CLIENTS = createKeys([]);

function createKeys(roles: readonly Role[]) {
  return { hasClientKey: () => Promise.resolve(roles.includes("client")) };
}

Deno.test("a worker for clients needs sessions that can be isolated", async () => {
  const broken = createProvider("bubblewrap is missing");
  await rejectUnisolatedHost(
    CLIENTS,
    { local_sandbox: "auto" },
    createProvider(undefined),
  );
  await rejectUnisolatedHost(NO_CLIENTS, { local_sandbox: "auto" }, broken);
  await assert.rejects(
    rejectUnisolatedHost(CLIENTS, { local_sandbox: "auto" }, broken),
    {
      name: "SettingsError",
      message: /there are client keys.*bubblewrap is missing/s,
    },
  );
});

Deno.test("local_sandbox require needs isolation without client keys too, off never does", async () => {
  const broken = createProvider("bubblewrap is missing");
  await assert.rejects(
    rejectUnisolatedHost(NO_CLIENTS, { local_sandbox: "require" }, broken),
    /local_sandbox is "require"/,
  );
  await rejectUnisolatedHost(CLIENTS, { local_sandbox: "off" }, broken);
});

Deno.test("a provider that isolates every session, and a server without a worker, pass", async () => {
  const { isolationProblem: _, ...container } = createProvider("unused");
  await rejectUnisolatedHost(CLIENTS, { local_sandbox: "require" }, container);
  await rejectUnisolatedHost(CLIENTS, { local_sandbox: "require" }, undefined);
});
