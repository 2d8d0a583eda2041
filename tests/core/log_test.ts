import assert from "node:assert/strict";
import {
  configureLog,
  createLogger,
  type LogSettings,
  noteTrace,
} from "../../src/core/log.ts";
import { settingsSchema } from "../../src/core/settings_schema.ts";
import { newKey } from "../../src/core/redact.ts";

/** Returns the output while `act` logs. */
async function written(
  log_format: "text" | "json",
  act: () => void,
  levels: Partial<LogSettings> = {},
): Promise<string> {
  const write = Deno.stderr.writeSync;
  let text = "";
  Deno.stderr.writeSync = (bytes) => {
    text += new TextDecoder().decode(bytes);
    return bytes.length;
  };
  try {
    await using _log = await configureLog({
      log_level: "debug",
      log_format,
      ...levels,
    });
    act();
  } finally {
    Deno.stderr.writeSync = write;
  }
  return text;
}

Deno.test("log_levels raise and lower the level of a part and the parts below it, and each line is written once", async () => {
  const text = await written("json", () => {
    for (const [room, part] of [["gateway", "a"], ["http", "a"], ["db", "a"]]) {
      const log = createLogger(room ?? "", part ?? "");
      for (const level of ["debug", "info", "warn"] as const) {
        log[level](`${room} ${level}`);
      }
    }
    createLogger("http", "server").debug("server debug");
  }, {
    log_level: "info",
    log_levels: { gateway: "debug", http: "warning", "http.server": "debug" },
  });
  assert.deepEqual(
    text.trim().split("\n").map((line) => JSON.parse(line).message),
    [
      ...["gateway debug", "gateway info", "gateway warn"],
      ...["http warn", "db info", "db warn", "server debug"],
    ],
  );
});

Deno.test("log_levels are PART=LEVEL separated by commas, or an object", () => {
  const read = (value: unknown) =>
    settingsSchema.shape.log_levels.safeParse(value);
  const levels = { gateway: "debug", "http.server": "warning" };
  assert.deepEqual(read("gateway=debug, http.server=warning").data, levels);
  assert.deepEqual(read(JSON.stringify(levels)).data, levels);
  assert.deepEqual(read(levels).data, levels);
  assert.deepEqual(read(undefined).data, {});
  for (const wrong of ["gateway", "gateway=loud", "=debug", "a b=debug"]) {
    assert.ok(!read(wrong).success, wrong);
  }
});

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

Deno.test("the lines of a session with a trace have both ids, in JSON as members", async () => {
  const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  noteTrace("traced", `00-${trace}-00f067aa0ba902b7-00`);
  noteTrace("invalid", "00-xyz");
  const log = () => {
    const logger = createLogger("worker", "session");
    for (const session_id of ["traced", "invalid"]) {
      logger.info("Session {session_id} runs", { session_id });
    }
    logger.info("Request", { trace_id: "given" });
    logger.info("Other");
  };
  const lines = (await written("json", log)).trim().split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    lines.map(({ trace_id, session_id, properties }) => [
      trace_id,
      session_id,
      properties.trace_id,
    ]),
    [
      [trace, "traced", trace],
      [undefined, "invalid", undefined],
      ["given", undefined, "given"],
      [undefined, undefined, undefined],
    ],
  );
  assert.equal(lines[0].message, "Session traced runs");
  assert.match(await written("text", log), /Session traced runs/);
});
