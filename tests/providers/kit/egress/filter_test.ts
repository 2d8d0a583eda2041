import assert from "node:assert/strict";
import fc from "fast-check";
import ipaddr from "ipaddr.js";
import type { EgressPolicy } from "../../../../src/core/egress.ts";
import { isPublicAddress } from "../../../../src/core/egress.ts";
import { EgressFilter } from "../../../../src/providers/kit/egress/filter.ts";

function policy(
  { mode = "no_private", allow = [] }: Partial<EgressPolicy> = {},
  gridAddresses: readonly string[] = [],
): EgressFilter {
  return new EgressFilter({ mode, allow, pool: "crawlers" }, {
    gridAddresses: () => gridAddresses,
  });
}

/** Reports whether a name that resolves to `address` is rejected. */
function rejects(filter: EgressFilter, address: string, host = "a.example") {
  return filter.problem({ host, port: 80 }, address) !== undefined;
}

/** First and last address of each range that is not public, and their public neighbours. */
const PRIVATE = [
  ...["0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255"],
  ...["100.64.0.0", "100.127.255.255", "127.0.0.1", "127.255.255.255"],
  ...["169.254.0.0", "169.254.169.254", "169.254.255.255"],
  ...["172.16.0.0", "172.31.255.255", "192.168.0.0", "192.168.255.255"],
  ...["192.0.0.0", "192.0.2.2", "198.18.0.0", "198.19.255.255"],
  ...["198.51.100.1", "203.0.113.1", "224.0.0.0", "239.255.255.255"],
  ...["240.0.0.0", "255.255.255.255"],
  ...["::", "::1", "::2", "::7f00:1", "fe80::1", "fe80::1%eth0", "febf::1"],
  ...["fec0::1", "fc00::", "fdff:ffff::1", "fd00:ec2::254", "ff02::1"],
  ...["::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:169.254.169.254"],
  ...["::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::10.0.0.1"],
  ...["64:ff9b:1::1", "2002:7f00:1::", "2002:808:808::1", "2001::1"],
  ...["2001:db8::1", "100::1", "4000::1", "5f00::1"],
  ...["", "a.example", "127.1", "2130706433", "0x7f000001"],
];

const PUBLIC = [
  ...["1.0.0.0", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255"],
  ...["100.128.0.0", "126.255.255.255", "128.0.0.0", "169.253.255.255"],
  ...["169.255.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255"],
  ...["192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255"],
  ...["::ffff:8.8.8.8", "64:ff9b::808:808", "2606:4700::1111", "2a00::1"],
];

Deno.test("EgressFilter no_private rejects each range that is not public, and no public address", () => {
  const filter = policy();
  for (const address of PRIVATE) assert.ok(rejects(filter, address), address);
  for (const address of PUBLIC) assert.ok(!rejects(filter, address), address);
});

Deno.test("isPublicAddress() agrees with the special ranges of ipaddr.js", () => {
  const check = (address: string) => {
    const parsed = ipaddr.process(address);
    const isGlobal = parsed instanceof ipaddr.IPv4 ||
      parsed.match(ipaddr.IPv6.parse("2000::"), 3);
    const isNat64 = address.startsWith("64:ff9b:");
    assert.equal(
      isNat64 || isPublicAddress(address),
      isNat64 || isGlobal && parsed.range() === "unicast",
      address,
    );
  };
  fc.assert(fc.property(fc.ipV4(), check), { numRuns: 3_000 });
  fc.assert(fc.property(fc.ipV6(), check), { numRuns: 3_000 });
});

Deno.test("EgressFilter no_private decides equally about an IPv4 address in every IPv6 form", () => {
  const filter = policy({ allow: ["10.1.0.0/16"] }, ["9.9.9.9"]);
  const hex = (address: string) =>
    address.split(".").map((part) => Number(part).toString(16).padStart(2, "0"))
      .join("").replace(/^(.{4})/, "$1:");
  fc.assert(fc.property(fc.ipV4(), (address) => {
    const plain = rejects(filter, address);
    assert.equal(rejects(filter, `::ffff:${address}`), plain);
    assert.equal(rejects(filter, `::ffff:${hex(address)}`), plain);
    assert.equal(rejects(filter, `64:ff9b::${hex(address)}`), plain);
  }));
  for (const address of ["10.1.2.3", "9.9.9.9", "10.2.0.1"]) {
    assert.equal(
      rejects(filter, `64:ff9b::${hex(address)}`),
      rejects(filter, address),
    );
  }
});

Deno.test("EgressFilter no_private rejects the grid's public addresses", () => {
  const filter = policy({}, ["9.9.9.9", "2a00::9", "grid.example:8765"]);
  assert.ok(rejects(filter, "9.9.9.9"));
  assert.ok(rejects(filter, "64:ff9b::909:909"));
  assert.ok(rejects(filter, "2a00::9"));
  assert.ok(!rejects(filter, "9.9.9.8"));
  const grid = { host: "GRID.example.", port: 8765 };
  assert.ok(filter.problem(grid, "8.8.8.8"));
  assert.equal(filter.problem({ ...grid, port: 443 }, "8.8.8.8"), undefined);
});

Deno.test("EgressFilter open rejects only the worker's loopback, and an entry allows it", () => {
  const filter = policy({ mode: "open" });
  const loopback = ["127.0.0.1", "127.9.9.9", "::1", "0.0.0.0", "::"];
  for (const address of [...loopback, "::ffff:127.0.0.1", "64:ff9b::7f00:1"]) {
    assert.ok(rejects(filter, address), address);
  }
  for (const address of ["10.0.0.1", "fd00::1", "169.254.169.254"]) {
    assert.ok(!rejects(filter, address), address);
  }
  const own = policy({ mode: "open", allow: ["localhost:3000"] });
  const page = { host: "localhost", port: 3000 };
  assert.equal(own.problem(page, "127.0.0.1"), undefined);
  assert.ok(own.problem({ ...page, port: 3001 }, "127.0.0.1"));
  assert.ok(own.problem({ ...page, host: "127.0.0.1" }, "127.0.0.1"));
});

Deno.test("EgressFilter none rejects every address that no entry allows, before its name is resolved", () => {
  const filter = policy({
    mode: "none",
    allow: ["*.corp.example", "a.example:80"],
  });
  for (const address of [...PUBLIC, ...PRIVATE]) {
    assert.ok(rejects(filter, address, "b.example"), address);
  }
  assert.ok(!rejects(filter, "10.0.0.1", "x.corp.example"));
  assert.ok(!filter.mayResolve({ host: "b.example", port: 80 }));
  assert.ok(!filter.mayResolve({ host: "a.example", port: 81 }));
  assert.ok(filter.mayResolve({ host: "A.example", port: 80 }));
  const networks = policy({ mode: "none", allow: ["10.0.0.0/8"] });
  assert.ok(networks.mayResolve({ host: "b.example", port: 80 }));
  assert.ok(!rejects(networks, "10.0.0.1"));
  assert.ok(rejects(networks, "11.0.0.1"));
});

Deno.test("EgressFilter names the target, the pool and its setting, and does not reveal the address of a name", () => {
  const problem = policy().problem({ host: "db.corp", port: 5432 }, "10.1.2.3");
  assert.equal(
    problem,
    'Cannot connect to db.corp:5432: it is a private address, and the egress of work pool "crawlers" is no_private, expected an entry of the pool\'s egress_allow',
  );
  const long = policy().problem({ host: "a".repeat(9_000), port: 1 }, "::1");
  assert.ok(long && long.length < 400);
});

Deno.test("EgressFilter rejects an entry that is not a rule", () => {
  assert.throws(() => policy({ allow: ["127.1"] }), TypeError);
});
