import assert from "node:assert/strict";
import {
  redactSecrets,
  type RequestedBrowser,
  toBrowserSpec,
} from "../../src/worker/claimed_session.ts";

const REQUEST: RequestedBrowser = {
  browser: "chrome",
  version: "latest",
  headless: false,
  screen: { width: 800, height: 600, dpi: 96, scale: 1 },
  proxy: null,
  resource_limits: {},
  environment: { TZ: "UTC" },
  arguments: ["--lang=de"],
  isolated: true,
  egress: { mode: "no_private", allow: [], pool: "pool" },
};

Deno.test("toBrowserSpec() keeps the requested properties and omits what was not requested", () => {
  const { proxy: _, resource_limits: __, ...same } = REQUEST;
  assert.deepEqual(toBrowserSpec(REQUEST), same);
});

Deno.test("toBrowserSpec() converts resource limits and keeps the proxy with its password", () => {
  const proxy = {
    proxy_url: "http://proxy.example:3128",
    proxy_username: "user",
    proxy_password: "hush",
  };
  const spec = toBrowserSpec({
    ...REQUEST,
    proxy,
    resource_limits: { cpu: 0.5, memory: "2G" },
  });
  assert.deepEqual(spec.proxy, proxy);
  assert.deepEqual([spec.cpu, spec.memoryBytes], [0.5, 2 * 2 ** 30]);
});

Deno.test("redactSecrets() replaces environment values and the proxy's password, wherever they are", () => {
  const text = "TOKEN=hush-hush, again hush-hush, proxy user:open-sesame";
  const redacted = redactSecrets(text, {
    environment: { TOKEN: "hush-hush" },
    proxy: {
      proxy_url: "http://proxy.example:3128",
      proxy_password: "open-sesame",
    },
  });
  assert.equal(redacted, "TOKEN=…, again …, proxy user:…");
});

Deno.test("redactSecrets() leaves values of one or two characters, which would make a text unreadable", () => {
  const environment = { DEBUG: "1", LANG: "C", MODE: "on", TZ: "UTC" };
  const text = "exit code 1 on UTC";
  assert.equal(
    redactSecrets(text, { environment, proxy: null }),
    "exit code 1 on …",
  );
});
