import assert from "node:assert/strict";
import fc from "fast-check";
import {
  mergeFlags,
  renderChromiumFlags,
} from "../../../src/providers/kit/chromium_flags.ts";
import { browserSpec } from "../../support/browser_spec.ts";

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
    scale: fc.constantFrom(0.5, 1, 1.5, 8),
  }),
  proxy: fc.record({ proxy_url: fc.string() }),
  arguments: fc.array(fc.constantFrom(
    "--lang=de",
    "--lang=fr",
    "--window-size=1,1",
    "--disable-features=A,B",
    "--enable-features=A",
    "--no-first-run",
  )),
}).map(browserSpec);

Deno.test("renderChromiumFlags() contains each flag once, because Chromium uses only the last", () => {
  fc.assert(fc.property(anySpec, (asked) => {
    const names = renderChromiumFlags(asked).map((flag) => flag.split("=")[0]);
    assert.deepEqual(names, [...new Set(names)]);
  }));
});

Deno.test("renderChromiumFlags() sets the size of the screen", () => {
  const screen = { width: 412, height: 915, dpi: 96, scale: 1 };
  const flags = renderChromiumFlags(browserSpec({ screen }));
  assert.ok(flags.includes("--window-size=412,915"));
  assert.ok(flags.includes("--screen-info={412x915}"));
  assert.ok(!flags.some((flag) => flag.includes("scale-factor")));
});

Deno.test("renderChromiumFlags() sets the scale of the screen", () => {
  const screen = { width: 412, height: 915, dpi: 96, scale: 2.5 };
  const flags = renderChromiumFlags(browserSpec({ screen }));
  assert.ok(flags.includes("--force-device-scale-factor=2.5"));
  // Of the device: pages see 412 by 915.
  assert.ok(flags.includes("--screen-info={1030x2288}"));
});

Deno.test("renderChromiumFlags() is headless only for headless sessions", () => {
  const flags = renderChromiumFlags(browserSpec({ headless: false }));
  assert.ok(!flags.some((flag) => flag.startsWith("--headless")));
  assert.ok(renderChromiumFlags(browserSpec()).includes("--headless=new"));
});

Deno.test("renderChromiumFlags() sets the session's proxy, another in its place, or none", () => {
  const asked = browserSpec({
    proxy: { proxy_url: "http://proxy.example:3128" },
  });
  const findProxyFlag = (flags: readonly string[]) =>
    flags.filter((flag) => flag.includes("proxy"));
  assert.deepEqual(findProxyFlag(renderChromiumFlags(asked)), [
    "--proxy-server=http://proxy.example:3128",
  ]);
  const proxyServer = "http://127.0.0.1:1";
  assert.deepEqual(findProxyFlag(renderChromiumFlags(asked, { proxyServer })), [
    "--proxy-server=http://127.0.0.1:1",
  ]);
  assert.deepEqual(
    findProxyFlag(renderChromiumFlags(asked, { proxyServer: null })),
    [],
  );
  assert.deepEqual(findProxyFlag(renderChromiumFlags(browserSpec())), []);
});

Deno.test("renderChromiumFlags() lets a session's arguments override the pool's, and those the general ones", () => {
  const spec = browserSpec({
    arguments: ["--window-size=7,7", "--lang=de", "--lang=fr"],
  });
  const more = ["--window-size=5,5", "--window-position=3,3", "--lang=en"];
  const flags = renderChromiumFlags(spec, { more });
  assert.deepEqual(difference(flags, renderChromiumFlags(browserSpec())), [
    "--window-size=7,7",
    "--window-position=3,3",
    "--lang=fr",
    "--window-size=1000,600",
    "--window-position=0,0",
  ]);
});

Deno.test("renderChromiumFlags() joins lists of features: a session's do not remove the general ones", () => {
  const spec = browserSpec({
    arguments: [
      "--disable-features=Mine",
      "--disable-features=,Other",
      "--enable-features=New",
      "--disable-blink-features=AutomationControlled",
      "--disable-features",
    ],
  });
  const flags = renderChromiumFlags(spec, {
    more: ["--disable-features=Pools"],
  });
  const usual = renderChromiumFlags(browserSpec()).find((flag) =>
    flag.startsWith("--disable-features=")
  );
  assert.deepEqual(flags.filter((flag) => flag.includes("-features")), [
    `${usual},Pools,Mine,,Other`,
    "--enable-features=New",
    "--disable-blink-features=AutomationControlled",
  ]);
});

Deno.test("mergeFlags() keeps arguments that are no flags", () => {
  const all = ["about:blank", "--a=1", "-v", "about:blank", "--a=2=3", "-v"];
  assert.deepEqual(mergeFlags(all), [
    "about:blank",
    "--a=2=3",
    "-v",
    "about:blank",
    "-v",
  ]);
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
    const flags = renderChromiumFlags(
      browserSpec({ proxy: { proxy_url: hostile } }),
    );
    assert.deepEqual(difference(flags, renderChromiumFlags(browserSpec())), [
      `--proxy-server=${hostile}`,
    ]);
  });
}

Deno.test("renderChromiumFlags() contains no secret and no variable", () => {
  const flags = renderChromiumFlags(browserSpec({
    environment: { TOKEN: "planted" },
    proxy: {
      proxy_url: "http://proxy.example",
      proxy_username: "planted",
      proxy_password: "planted",
    },
  }));
  assert.ok(!flags.join().includes("planted"));
});

Deno.test("renderChromiumFlags() leaves the sandbox to the provider", () => {
  assert.ok(
    !renderChromiumFlags(browserSpec()).some((flag) =>
      flag.includes("sandbox")
    ),
  );
});
