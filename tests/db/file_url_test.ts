import assert from "node:assert/strict";
import fc from "fast-check";
import { parseFileUrl, toFileUrl } from "../../src/db/file_url.ts";

Deno.test("parseFileUrl() restores the path of every toFileUrl()", () => {
  const parts = ["%", "20", "%2F", "/", "//", "a b", "#", "?", "é", "日", "\\"];
  const path = fc.array(fc.constantFrom(...parts), { minLength: 1 })
    .map((each) => each.join(""));
  fc.assert(
    fc.property(
      path,
      (path) => assert.equal(parseFileUrl(toFileUrl(path)), path),
    ),
    { seed: 1 },
  );
});

Deno.test("parseFileUrl() decodes escapes and keeps other text", () => {
  const paths = {
    "file:/srv/a%20b.db": "/srv/a b.db",
    "file:///srv/%C3%A9.db": "/srv/é.db",
    "file://localhost/srv/a.db": "/srv/a.db",
    "file:50%.db": "50%.db",
    "file:%zz/%ff.db": "%zz/%ff.db",
    "file:a?b#c.db": "a?b#c.db",
    ":memory:": ":memory:",
  };
  for (const [url, path] of Object.entries(paths)) {
    assert.equal(parseFileUrl(url), path);
  }
});
