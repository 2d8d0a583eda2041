import assert from "node:assert/strict";
import {
  exemptFromProxies,
  findProxyFor,
} from "../../src/cli/proxy_environment.ts";

const PROXY = "http://proxy.example:3128";

function findHost(
  url: string,
  env: Record<string, string>,
): string | undefined {
  return findProxyFor(new URL(url), env)?.host;
}

Deno.test("findProxyFor() uses the variable of the URL's scheme, in upper or lower case, else ALL_PROXY", () => {
  const cases: readonly [string, Record<string, string>, string | undefined][] =
    [
      ["http://a.example", { HTTP_PROXY: PROXY }, "proxy.example:3128"],
      ["ws://a.example", { http_proxy: PROXY }, "proxy.example:3128"],
      ["https://a.example", { HTTP_PROXY: PROXY }, undefined],
      ["wss://a.example", { HTTPS_PROXY: PROXY }, "proxy.example:3128"],
      ["https://a.example", { ALL_PROXY: PROXY }, "proxy.example:3128"],
      ["http://a.example", { HTTP_PROXY: "proxy:3128" }, "proxy:3128"],
      ["http://a.example", {}, undefined],
      ["http://a.example", { HTTP_PROXY: "" }, undefined],
      ["http://a.example", { ALL_PROXY: "socks5://s:1" }, "s:1"],
    ];
  for (const [url, env, host] of cases) {
    assert.equal(findHost(url, env), host, url);
  }
  assert.throws(
    () => findHost("http://a.example", { HTTP_PROXY: "http://" }),
    /expected http:\/\/HOST:PORT/,
  );
});

Deno.test("findProxyFor() knows what NO_PROXY leaves out: names, domains, addresses, networks, ports, all", () => {
  const cases: readonly [string, string, boolean][] = [
    ["a.example", "http://a.example", true],
    ["a.example", "http://b.a.example", true],
    [".a.example", "http://b.a.example:99", true],
    ["*.a.example", "http://b.a.example", true],
    ["a.example", "http://aa.example", false],
    ["a.example:8765", "http://a.example:8765", true],
    ["a.example:8765", "http://a.example:99", false],
    ["a.example:443", "https://a.example", true],
    ["10.0.0.0/8", "http://10.1.2.3", true],
    ["10.0.0.0/8", "http://11.1.2.3", false],
    ["192.0.2.7", "http://192.0.2.7:1", true],
    ["fd00::/8", "http://[fd00::1]:1", true],
    ["::1", "http://[::1]:1", true],
    ["x, A.Example ,y", "http://a.example", true],
    ["*", "http://a.example", true],
    ["", "http://a.example", false],
  ];
  for (const [NO_PROXY, url, isDirect] of cases) {
    const env = { ALL_PROXY: PROXY, NO_PROXY };
    assert.equal(
      findHost(url, env) === undefined,
      isDirect,
      `${NO_PROXY} ${url}`,
    );
  }
});

Deno.test("exemptFromProxies() adds this machine and the server to NO_PROXY only if there is a proxy", () => {
  assert.deepEqual(exemptFromProxies({ NO_PROXY: "a" }, ["b"]), {});
  const { NO_PROXY = "", no_proxy } = exemptFromProxies(
    { https_proxy: PROXY, NO_PROXY: "a.example" },
    ["[fd00::1]", "grid.example"],
  );
  assert.equal(NO_PROXY, no_proxy);
  const env = { ALL_PROXY: PROXY, NO_PROXY };
  for (
    const host of [
      ...["a.example", "grid.example", "[fd00::1]", "localhost", "[::1]"],
      ...["127.0.0.1", "127.1.2.3", "a.localhost"],
    ]
  ) assert.equal(findHost(`http://${host}:1`, env), undefined, host);
  assert.equal(findHost("http://b.example", env), "proxy.example:3128");
});
