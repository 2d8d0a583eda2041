import assert from "node:assert/strict";
import fc from "fast-check";
import { chromiumFlags } from "../../src/providers/chromium_flags.ts";
import { browserSpec } from "../support/browser_spec.ts";

/** Flags that two lists do not share. */
function difference(ones: readonly string[], others: readonly string[]) {
  return [
    ...ones.filter((flag) => !others.includes(flag)),
    ...others.filter((flag) => !ones.includes(flag)),
  ];
}

const anySpec = fc.record({
  headless: fc.boolean(),
  screen: fc.record({
    width: fc.integer({ min: 1, max: 16384 }),
    height: fc.integer({ min: 1, max: 16384 }),
    dpi: fc.constant(96),
    scale: fc.constantFrom(0.25, 1, 1.5, 8),
  }),
  proxy: fc.record({ proxy_url: fc.string() }),
}).map(browserSpec);

Deno.test("chromiumFlags() names each flag once, since Chromium takes only the last", () => {
  fc.assert(fc.property(anySpec, (asked) => {
    const names = chromiumFlags(asked).map((flag) => flag.split("=")[0]);
    assert.deepEqual(names, [...new Set(names)]);
  }));
});

Deno.test("chromiumFlags() gives the size of the screen", () => {
  const screen = { width: 412, height: 915, dpi: 96, scale: 1 };
  const flags = chromiumFlags(browserSpec({ screen }));
  assert.ok(flags.includes("--window-size=412,915"));
  assert.ok(!flags.some((flag) => flag.includes("scale-factor")));
});

Deno.test("chromiumFlags() gives the scale of the screen", () => {
  const screen = { width: 412, height: 915, dpi: 96, scale: 2.5 };
  const flags = chromiumFlags(browserSpec({ screen }));
  assert.ok(flags.includes("--force-device-scale-factor=2.5"));
});

Deno.test("chromiumFlags() says headless only to those who ask for it", () => {
  const flags = chromiumFlags(browserSpec({ headless: false }));
  assert.ok(!flags.some((flag) => flag.startsWith("--headless")));
  assert.ok(chromiumFlags(browserSpec()).includes("--headless=new"));
});

Deno.test("chromiumFlags() gives the session's proxy, another's in its place, or none", () => {
  const asked = browserSpec({
    proxy: { proxy_url: "http://proxy.example:3128" },
  });
  const proxyOf = (flags: readonly string[]) =>
    flags.filter((flag) => flag.includes("proxy"));
  assert.deepEqual(proxyOf(chromiumFlags(asked)), [
    "--proxy-server=http://proxy.example:3128",
  ]);
  const proxyServer = "http://127.0.0.1:1";
  assert.deepEqual(proxyOf(chromiumFlags(asked, { proxyServer })), [
    "--proxy-server=http://127.0.0.1:1",
  ]);
  assert.deepEqual(proxyOf(chromiumFlags(asked, { proxyServer: null })), []);
  assert.deepEqual(proxyOf(chromiumFlags(browserSpec())), []);
});

for (
  const hostile of [
    "--no-sandbox",
    "http://x --no-sandbox",
    "http://x\n--no-sandbox",
    "http://x\0--no-sandbox",
    "",
  ]
) {
  Deno.test(`chromiumFlags() lets the proxy ${JSON.stringify(hostile)} add no flag`, () => {
    const flags = chromiumFlags(browserSpec({ proxy: { proxy_url: hostile } }));
    assert.deepEqual(difference(flags, chromiumFlags(browserSpec())), [
      `--proxy-server=${hostile}`,
    ]);
  });
}

Deno.test("chromiumFlags() has no secret and no variable", () => {
  const flags = chromiumFlags(browserSpec({
    environment: { TOKEN: "planted" },
    proxy: {
      proxy_url: "http://proxy.example",
      proxy_username: "planted",
      proxy_password: "planted",
    },
  }));
  assert.ok(!flags.join().includes("planted"));
});

Deno.test("chromiumFlags() leaves the sandbox to the provider", () => {
  assert.ok(
    !chromiumFlags(browserSpec()).some((flag) => flag.includes("sandbox")),
  );
});
