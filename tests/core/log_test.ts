import assert from "node:assert/strict";
import { configureLog, createLogger } from "../../src/core/log.ts";
import { newKey } from "../../src/core/redact.ts";

/** Returns the output while `act` logs. */
async function written(
  log_format: "text" | "json",
  act: () => void,
): Promise<string> {
  const write = Deno.stderr.writeSync;
  let text = "";
  Deno.stderr.writeSync = (bytes) => {
    text += new TextDecoder().decode(bytes);
    return bytes.length;
  };
  try {
    await using _log = await configureLog({ log_level: "debug", log_format });
    act();
  } finally {
    Deno.stderr.writeSync = write;
  }
  return text;
}

Deno.test("a JSON line has the message of a text line, and the values as properties", async () => {
  const text = await written("json", () => {
    createLogger("core", "log").info("{method} in {duration_ms} ms", {
      method: "GET",
      duration_ms: 5,
    });
  });
  const { message, properties } = JSON.parse(text);
  assert.equal(message, "GET in 5 ms");
  assert.deepEqual(properties, { method: "GET", duration_ms: 5 });
});

for (const format of ["text", "json"] as const) {
  Deno.test(`a ${format} line contains no secret, neither as a property nor in its message`, async () => {
    const key = newKey();
    const log = createLogger("core", "log");
    const text = await written(format, () => {
      log.info("{method} {path} with {api_key}", {
        method: "GET",
        path: `/v1/keys/${key}`,
        api_key: "hush-1",
        password: "hush-2",
      });
      log.warn("It failed: {error}", {
        error: new Error("Failed query: hush-3", {
          cause: new Error(`near ${key}`),
        }),
      });
    });
    assert.doesNotMatch(text, /hush/);
    assert.ok(!text.includes(key.slice(12)), text);
    assert.match(text, /GET/);
    assert.match(text, new RegExp(`near ${key.slice(0, 12)}…`));
  });
}
