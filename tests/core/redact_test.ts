import assert from "node:assert/strict";
import fc from "fast-check";
import {
  hashText,
  isEqualHash,
  newKey,
  parseKeyPrefix,
  redactKeys,
} from "../../src/core/redact.ts";

Deno.test("newKey() creates different keys of one form that use every character of the alphabet", () => {
  const keys = Array.from({ length: 2_000 }, newKey);
  assert.equal(new Set(keys).size, keys.length);
  const counts = new Map<string, number>();
  for (const key of keys) {
    assert.match(key, /^bg_[0-9A-Za-z]{8}_[0-9A-Za-z]{43}$/);
    assert.equal(parseKeyPrefix(key), key.slice(0, 11));
    for (const character of key.slice(12)) {
      counts.set(character, (counts.get(character) ?? 0) + 1);
    }
  }
  // 86,000 characters: about 1,387 of each of 62. A modulus bias would add a quarter to some of them.
  assert.equal(counts.size, 62);
  for (const count of counts.values()) {
    assert.ok(count > 1_150 && count < 1_650);
  }
});

Deno.test("parseKeyPrefix() accepts only text with the form of a key", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    assert.equal(parseKeyPrefix(text), undefined);
  }));
  const key = newKey();
  for (const near of [`${key}0`, key.slice(1), key.slice(0, -1), ` ${key}`]) {
    assert.equal(parseKeyPrefix(near), undefined);
  }
  assert.equal(parseKeyPrefix(`${key}\n`), undefined);
});

Deno.test("isEqualHash() compares for equality", () => {
  fc.assert(fc.property(fc.string(), fc.string(), (a, b) => {
    assert.equal(isEqualHash(a, b), a === b);
    assert.ok(isEqualHash(a, a));
  }));
});

Deno.test("hashText() returns SHA-256 in hex", async () => {
  assert.equal(
    await hashText("abc"),
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
});

Deno.test("redactKeys() keeps only the public part of keys and tokens", () => {
  const key = newKey();
  const token = `ct_mwun1y6a_${"gdJipGOSj4-_"}${"x".repeat(31)}`;
  assert.equal(
    redactKeys(
      `GET /v1/keys/${key}?token=${token}&key=${key} of ${key.slice(0, 11)}`,
    ),
    `GET /v1/keys/${key.slice(0, 12)}…?token=ct_…&key=${key.slice(0, 12)}… of ${
      key.slice(0, 11)
    }`,
  );
  const link = `lv_${"gdJipGOSj4-_".repeat(4).slice(0, 43)}`;
  assert.equal(redactKeys(`GET /live/${link}/`), "GET /live/lv_…/");
});

Deno.test("redactKeys() removes user and password from URLs", () => {
  for (
    const [text, expected] of [
      ['at "http://me:geheim@grid.example/v1"', 'at "http://grid.example/v1"'],
      ["at libsql://me:g@heim@grid.example", "at libsql://grid.example"],
      [
        "at https://grid.example/@me?a=b@c",
        "at https://grid.example/@me?a=b@c",
      ],
      ["http://a.example and b@c.example", "http://a.example and b@c.example"],
    ] as const
  ) assert.equal(redactKeys(text), expected);
});
