import assert from "node:assert/strict";
import { findForbiddenReason } from "../../src/apps/workerpool/allowed_arguments.ts";
import { poolInputSchema } from "../../src/apps/workerpool/schemas.ts";
import { sessionInputSchema } from "../../src/apps/sessions/schemas.ts";
import { describedApi } from "../support/api_document.ts";
import { testGrid } from "../support/grid.ts";
import { isReserved } from "../../src/core/environment.ts";

Deno.test("isReserved() detects variables that change which programs and libraries run, in any case", () => {
  for (
    const name of [
      "LD_PRELOAD",
      "ld_preload",
      "PATH",
      "Path",
      "CHROME_DEVEL_SANDBOX",
      "CHROMIUM_FLAGS",
      "BROWSERGRID_SANDBOX",
      "BASH_ENV",
      "SSLKEYLOGFILE",
      "VK_ICD_FILENAMES",
      "LIBVA_DRIVERS_PATH",
      "XDG_CONFIG_HOME",
      "__EGL_VENDOR_LIBRARY_FILENAMES",
    ]
  ) assert.ok(isReserved(name), name);
  for (const name of ["LANG", "TZ", "LC_ALL", "TOKEN", "PATHS", "MY_PATH"]) {
    assert.ok(!isReserved(name), name);
  }
});

Deno.test("the document and the server reject the same variables and arguments, in upper and lower case", async () => {
  await using grid = await testGrid();
  const { operations, fault } = await describedApi(grid);
  const createBody = (id: string) =>
    operations.find((each) => each.id === id)?.body?.schema ?? {};
  const [session, pool] = [
    createBody("createSession"),
    createBody("createPool"),
  ];
  const names = ["vk_icd", "Vk_A", "PATH", "pAtH", "paths", "LANG", "xdg_a"];
  for (const name of names) {
    const body = { environment: { [name]: "x" } };
    assert.equal(fault(session, body) !== undefined, isReserved(name), name);
    const { success } = sessionInputSchema.safeParse(body);
    assert.equal(success, !isReserved(name), name);
  }
  const allowed = [
    "--remote-*",
    "--Remote-debugging-port",
    "--type",
    "--TYPE*",
    "--typed",
    "--debug",
    "--debugger",
    "--renderer-cmd-prefix",
    "--utility-LAUNCHER*",
    "--lang",
    "--force-*",
  ];
  for (const entry of allowed) {
    const body = {
      name: "p",
      provider_type: "local",
      allowed_arguments: [entry],
    };
    const isNever = findForbiddenReason(entry.replace("*", "")) !== undefined;
    assert.equal(fault(pool, body) !== undefined, isNever, entry);
    assert.equal(poolInputSchema.safeParse(body).success, !isNever, entry);
  }
});
