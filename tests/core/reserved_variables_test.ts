import assert from "node:assert/strict";
import { isReserved } from "../../src/core/reserved_variables.ts";

Deno.test("isReserved() knows variables that change which programs and libraries run, whatever their case", () => {
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
