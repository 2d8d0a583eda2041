import assert from "node:assert/strict";
import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { z } from "@hono/zod-openapi";
import { type App, type AppCore, defineApp } from "../../src/core/app.ts";
import {
  collectUpgraders,
  installApps,
  mergeProblems,
} from "../../src/http/install_apps.ts";
import type { Role } from "../../src/core/caller.ts";
import { defineProblems, GridError } from "../../src/core/errors.ts";
import { createRouter } from "../../src/http/router.ts";
import type { SettingsInput } from "../../src/core/settings.ts";
import { testGrid } from "../support/grid.ts";

/** Sets up `apps` on a grid without other apps. */
async function install(
  apps: readonly App[],
  settings: SettingsInput = {},
): Promise<ReturnType<typeof installApps>> {
  await using grid = await testGrid();
  return installApps(
    { ...grid.core, settings: { ...grid.core.settings, ...settings } },
    apps,
  );
}

const app = (name: string, setup: (core: AppCore) => unknown) =>
  defineApp({
    name,
    verboseName: name,
    setup: (core) => ({ manager: setup(core) }),
  });

Deno.test("installApps() sets up apps in order, each with access to the managers of earlier ones, by app or name", async () => {
  const one = defineApp<number>({
    name: "one",
    verboseName: "One",
    setup: () => ({ manager: 1 }),
  });
  const two = app("two", (core) => core.use(one) + 1);
  const three = app("three", (core) => core.use<number>("two") + 1);
  const installed = await install([one, two, three]);
  assert.deepEqual(
    [...installed].map(([{ name }, { manager }]) => [name, manager]),
    [["one", 1], ["two", 2], ["three", 3]],
  );
});

Deno.test("installApps() passes an app its options with their defaults", async () => {
  const schema = z.strictObject({
    size: z.int().default(3),
    label: z.string().default("none"),
  });
  const sized = app("sized", (core) => core.options(schema));
  const installed = await install([sized], {
    app_options: { sized: { size: 5 } },
  });
  assert.deepEqual(installed.get(sized)?.manager, { size: 5, label: "none" });
});

Deno.test("installApps() rejects an invalid value of setup(), and names each fault", async () => {
  const wrong: readonly (readonly [unknown, RegExp])[] = [
    [undefined, /app "odd": .* invalid value: .*expected object/],
    [null, /expected object/],
    [[], /expected object/],
    [Promise.resolve({ manager: 1 }), /it is a promise, .* in ready\(\)/],
    [{ manager: 1, route: {} }, /"route"/],
    [{ routes: { v1: {} } }, /routes: v1: expected a router/],
    [{ routes: { one: createRouter() } }, /expected a version, such as v1/],
    [{ routes: createRouter() }, /routes: /],
    [{ ready: true }, /ready: expected a function/],
    [
      { upgrade: {}, upgradeRoles: ["user"] },
      /upgradeRoles: 0: .*; upgrade: expected a function/,
    ],
    [{ tags: { Notes: 1 } }, /tags: Notes: /],
  ];
  for (const [returned, why] of wrong) {
    const odd = defineApp({
      name: "odd",
      verboseName: "Odd",
      // Plain JavaScript has no type check.
      setup: () => returned as never,
    });
    await assert.rejects(install([odd]), why);
  }
  const plain = defineApp({
    name: "plain",
    verboseName: "Plain",
    setup: () => ({ manager: undefined, routes: { v12: createRouter() } }),
  });
  await install([plain]);
});

Deno.test("mergeProblems() returns the codes of all owners, and rejects a code that two declare", () => {
  const problems = defineProblems({ odd: { status: 409, title: "Odd" } });
  assert.deepEqual(mergeProblems([{ name: "a", problems }, { name: "b" }]), {
    odd: { code: "odd", status: 409, title: "Odd" },
  });
  assert.throws(
    () => mergeProblems([{ name: "a", problems }, { name: "b", problems }]),
    /Cannot add code "odd" of "b": "a" has it, expected one of its own, such as "b_odd"/,
  );
});

Deno.test("GridError rejects a code that is not declared", () => {
  // A plugin in plain JavaScript may do this.
  const make = () => Reflect.construct(GridError, ["no_such_code", "Cannot"]);
  assert.throws(make, /code "no_such_code": it is unknown/);
});

Deno.test("collectUpgraders() calls an app only for sockets of admins and of the roles that it names", async () => {
  const upgrade = () => Promise.resolve(Boolean("taken"));
  const upgraders = collectUpgraders([
    { manager: 1, upgrade },
    { manager: 2, upgrade, upgradeRoles: ["client"] },
  ]);
  const taken = async (role?: Role) => {
    const caller = role && { id: role, name: role, role };
    const url = new URL("http://grid/v1/socket");
    const baseUrl = url.origin;
    const context = {
      url,
      path: url.pathname,
      baseUrl,
      caller,
      requestId: undefined,
      headers: new Headers(),
    };
    const socket = new Socket();
    const request = new IncomingMessage(socket);
    return await Promise.all(
      upgraders.map((each) => each(request, socket, new Uint8Array(), context)),
    );
  };
  assert.deepEqual(await taken("admin"), [true, true]);
  assert.deepEqual(await taken("client"), [false, true]);
  assert.deepEqual(await taken("worker"), [false, false]);
  // No middleware determines the caller.
  assert.deepEqual(await taken(), [true, true]);
});
