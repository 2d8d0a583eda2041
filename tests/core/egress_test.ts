import assert from "node:assert/strict";
import fc from "fast-check";
import { matchesEgressRule, parseEgressRule } from "../../src/core/egress.ts";

/** Reports whether a rule matches `host` and `port` at `address`. */
function matches(
  text: string,
  [host, port, address]: readonly [string, number, string?],
): boolean {
  const rule = parseEgressRule(text);
  assert.ok(rule, `"${text}" is no rule`);
  return matchesEgressRule(rule, { host, port }, address);
}

const ACCEPTED = [
  ...["10.0.0.0/8", "10.1.2.3", "10.1.2.3:80", "10.0.0.0/8:443", "::1"],
  ...["[::1]", "[::1]:80", "fd00::/8", "[fd00::/8]:443", "::ffff:10.0.0.1"],
  ...["localhost", "localhost:3000", "a.example", "*.a.example", "*.corp:443"],
  ...["under_score.example", "xn--bcher-kva.example", "A.Example.", "1and1.de"],
];

const REJECTED = [
  ...["", ":80", "*", "*.", "a.*.example", "**.example", "-a.example"],
  ...["a..example", "a b", "a.example:", "a.example:0", "a.example:65536"],
  ...["a.example:x", "10.0.0.0/33", "10.0.0.0/x", "10.0.0.0/8/8", "10.0.0.0/"],
  ...["127.1", "2130706433", "0x7f.1", "0x7f000001", "1.2.3.4.5", "010.0.0.1"],
  ...["::ffff:0:0/96", "::ffff:10.0.0.0/104", "fe80::1%eth0", "[a.example]:1"],
  ...["http://a.example", "a.example/x", "user@a.example", "[::1", "::1]:80"],
];

Deno.test("parseEgressRule() accepts only networks, addresses and names, each with or without a port", () => {
  for (const text of ACCEPTED) assert.ok(parseEgressRule(text), text);
  for (const text of REJECTED) {
    assert.equal(parseEgressRule(text), undefined, text);
  }
});

Deno.test("matchesEgressRule() matches whole names, names below a suffix, and networks by address", () => {
  assert.ok(matches("A.Example.", ["a.example", 80]));
  assert.ok(!matches("a.example", ["b.a.example", 80]));
  assert.ok(matches("*.a.example", ["b.a.example", 80]));
  assert.ok(matches("*.a.example", ["c.b.a.example", 80]));
  assert.ok(!matches("*.a.example", ["a.example", 80]));
  assert.ok(!matches("*.a.example", ["evila.example", 80]));
  assert.ok(matches("a.example:80", ["a.example", 80]));
  assert.ok(!matches("a.example:80", ["a.example", 81]));
  assert.ok(matches("10.0.0.0/8", ["any.example", 1, "10.255.0.1"]));
  assert.ok(matches("10.0.0.0/8", ["any.example", 1, "::ffff:10.255.0.1"]));
  assert.ok(!matches("10.0.0.0/8", ["10.0.0.1", 1, "11.0.0.1"]));
  assert.ok(!matches("10.0.0.0/8", ["10.0.0.1", 1]));
  assert.ok(!matches("0.0.0.0/0", ["any.example", 1, "2001:db8::1"]));
  assert.ok(!matches("::/0", ["any.example", 1, "10.0.0.1"]));
  assert.ok(matches("[fd00::/8]:443", ["any.example", 443, "fd12::1"]));
  assert.ok(!matches("[fd00::/8]:443", ["any.example", 80, "fd12::1"]));
});

Deno.test("parseEgressRule() never throws, and parses each formatted address and port", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), (text) => {
      parseEgressRule(text);
    }),
  );
  const port = fc.integer({ min: 1, max: 65_535 });
  fc.assert(fc.property(fc.ipV4(), port, (address, port) => {
    assert.ok(matches(`${address}:${port}`, ["x", port, address]));
    assert.ok(!matches(`${address}:${port}`, ["x", port ^ 1, address]));
  }));
  fc.assert(fc.property(fc.ipV6(), port, (address, port) => {
    assert.ok(matches(`[${address}]:${port}`, ["x", port, address]));
    assert.ok(matches(address, ["x", port, address]));
  }));
});
