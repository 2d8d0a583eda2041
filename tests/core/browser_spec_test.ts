import assert from "node:assert/strict";
import { proxySchema } from "../../src/core/browser_spec.ts";
import {
  environmentInputSchema,
  sessionEnvironmentSchema,
} from "../../src/core/environment.ts";

Deno.test("proxySchema rejects credentials in the URL, which responses would contain", () => {
  assert.ok(
    !proxySchema.safeParse({ proxy_url: "http://u:p@proxy:3128" }).success,
  );
  assert.ok(proxySchema.safeParse({ proxy_url: "http://proxy:3128" }).success);
});

Deno.test("proxySchema accepts exactly one proxy: Chromium reads commas and semicolons as separators", () => {
  const isTaken = (proxy_url: string) =>
    proxySchema.safeParse({ proxy_url }).success;
  for (
    const url of [
      ...["http://proxy", "https://proxy.example:3128/", "socks5://10.0.0.1:1"],
      ...["socks4://[2001:db8::1]:1080", "http://b\u00fccher.example:80"],
    ]
  ) assert.ok(isTaken(url), url);
  for (
    const url of [
      ...["http://a,direct://", "http://a:1,http://b:2", "http://a,b"],
      ...["http=http://a;https=http://b", "http://a;http=b", "http://a b"],
      ...[
        " http://a",
        "http://a\n",
        "http://a/path",
        "http://a?b",
        "http://a#b",
      ],
      ...["http://", "ftp://a", "http://a\\b", "http://a:99999", "http://[a]"],
      ...["direct://", "a:3128", `http://${"a".repeat(500)}`],
    ]
  ) assert.ok(!isTaken(url), url);
});

Deno.test("an environment has at most 256 variables, because each is encrypted separately", () => {
  const variables = (count: number) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, at) => [`V${at}`, ""]),
    );
  for (const schema of [environmentInputSchema, sessionEnvironmentSchema]) {
    assert.ok(schema.safeParse(variables(256)).success);
    const { error } = schema.safeParse(variables(257));
    assert.equal(error?.issues[0]?.message, "expected at most 256");
  }
});
