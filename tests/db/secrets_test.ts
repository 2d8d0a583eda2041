import assert from "node:assert/strict";
import fc from "fast-check";
import { isSealed, SecretCipher } from "../../src/db/secrets.ts";
import { parseKey } from "../../src/core/redact.ts";

const PLACE = ["sessions", "environment.TOKEN", "id-1"] as const;

function createKey(byte: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(32).fill(byte);
}

Deno.test("SecretCipher decrypts every text that it encrypted, and never encrypts twice to the same text", async () => {
  const secrets = new SecretCipher(createKey(1));
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "grapheme" }), async (text) => {
      const sealed = await secrets.seal(text, PLACE);
      assert.ok(isSealed(sealed));
      assert.ok(text.length < 8 || !sealed.includes(text));
      assert.notEqual(await secrets.seal(text, PLACE), sealed);
      assert.equal(
        await new SecretCipher(createKey(1)).open(sealed, PLACE),
        text,
      );
    }),
    { seed: 1, numRuns: 50 },
  );
});

Deno.test("SecretCipher.open() rejects another key, another position, and every modified text", async () => {
  const sealed = await new SecretCipher(createKey(1)).seal("secret", PLACE);
  const mismatch = { code: "encryption_key_mismatch" };
  await assert.rejects(
    new SecretCipher(createKey(2)).open(sealed, PLACE),
    mismatch,
  );
  const secrets = new SecretCipher(createKey(1));
  for (
    const place of [
      ["work_pools", PLACE[1], PLACE[2]],
      [PLACE[0], "environment.OTHER", PLACE[2]],
      [PLACE[0], PLACE[1], "id-2"],
    ] as const
  ) await assert.rejects(secrets.open(sealed, place), mismatch);
  // The last character has unused bits.
  for (let at = 0; at < sealed.length - 1; at++) {
    const other = sealed[at] === "A" ? "B" : "A";
    const changed = sealed.slice(0, at) + other + sealed.slice(at + 1);
    await assert.rejects(secrets.open(changed, PLACE), mismatch, changed);
  }
});

Deno.test("SecretCipher decrypts with an earlier key and encrypts with the current one", async () => {
  const old = await new SecretCipher(createKey(1)).seal("secret", PLACE);
  const secrets = new SecretCipher(createKey(2), [createKey(3), createKey(1)]);
  assert.equal(await secrets.open(old, PLACE), "secret");
  const prefix = (await secrets.currentPattern()).slice(0, -1);
  assert.ok(!old.startsWith(prefix));
  const sealed = await secrets.seal("secret", PLACE);
  assert.ok(sealed.startsWith(prefix));
  assert.equal(
    await new SecretCipher(createKey(2)).open(sealed, PLACE),
    "secret",
  );
});

Deno.test("SecretCipher.seal() encrypts nothing before its check has passed", async () => {
  const secrets = new SecretCipher(createKey(1));
  secrets.checkWith(() => Promise.reject(new Error("another grid's")));
  await assert.rejects(secrets.seal("secret", PLACE), /another grid's/);
});

Deno.test("parseKey() accepts only 32 bytes in hex, base64 or base64url", () => {
  const key = Uint8Array.from({ length: 32 }, (_, at) => 255 - at);
  const texts = [
    key.toHex(),
    key.toHex().toUpperCase(),
    `${key.toBase64()}\n`,
    key.toBase64({ alphabet: "base64url", omitPadding: true }),
  ];
  for (const text of texts) assert.deepEqual(parseKey(text), key, text);
  for (const text of ["", "secret", "ab".repeat(31), "ab".repeat(33), "="]) {
    assert.equal(parseKey(text), undefined, text);
  }
});
