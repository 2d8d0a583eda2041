import assert from "node:assert/strict";
import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { listDeniedNetworks } from "../../../../src/providers/kit/image/egress.ts";
import { EgressFilter } from "../../../../src/providers/kit/egress/filter.ts";

const EGRESS = { mode: "no_private", allow: [], pool: "pool" } as const;

const denied = listDeniedNetworks({ egress: EGRESS }, []).map((network) =>
  ipaddr.parseCIDR(network)
);

/** Reports whether an address is denied to a container. */
function isDenied(address: string): boolean {
  const parsed = ipaddr.process(address);
  return denied.some(([network, bits]) =>
    network.kind() === parsed.kind() && parsed.match(network, bits)
  );
}

/** Returns the first and last address of a network, and their outer neighbours. */
function listEdges([network, bits]: [ipaddr.IPv4 | ipaddr.IPv6, number]) {
  const bytes = network.toByteArray();
  const size = BigInt(bytes.length * 8);
  const first = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const last = first + (1n << (size - BigInt(bits))) - 1n;
  const most = (1n << size) - 1n;
  return [first - 1n, first, last, last + 1n]
    .filter((value) => value >= 0n && value <= most)
    .map((value) => renderText(value, bytes.length));
}

function renderText(value: bigint, length: number): string {
  const bytes = Array.from(
    { length },
    (_, at) => Number((value >> BigInt(8 * (length - 1 - at))) & 255n),
  );
  return ipaddr.fromByteArray(bytes).toString();
}

Deno.test("listDeniedNetworks() are the addresses that the egress filter of local browsers rejects", () => {
  const filter = new EgressFilter(EGRESS);
  const check = (address: string) =>
    assert.equal(
      isDenied(address),
      filter.problem({ host: address, port: 80 }, address) !== undefined,
      address,
    );
  for (const network of denied) listEdges(network).forEach(check);
  fc.assert(fc.property(fc.ipV4(), check), { numRuns: 3_000 });
  fc.assert(fc.property(fc.ipV6(), check), { numRuns: 3_000 });
});

Deno.test("listDeniedNetworks() denies all for none, nothing for open, and includes the grid's addresses", () => {
  const list = (mode: "open" | "no_private" | "none") =>
    listDeniedNetworks({ egress: { ...EGRESS, mode } }, ["203.0.113.9"]);
  assert.deepEqual(list("open"), []);
  assert.deepEqual(list("none"), ["0.0.0.0/0", "::/0"]);
  assert.ok(list("no_private").includes("203.0.113.9"));
});
