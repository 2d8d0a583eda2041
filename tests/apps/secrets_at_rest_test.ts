import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { HmacConnectTokens } from "../../src/http/auth/connect_token.ts";
import { systemClock } from "../../src/async/clock.ts";
import { createApiClient } from "../support/api.ts";
import { IS_REMOTE, type TestGrid, testGrid } from "../support/grid.ts";

/** Values that must not occur in the database. */
const PLANTED = [
  "planted-session-variable",
  "planted-session-password",
  "planted-pool-variable",
  "planted-pool-password",
];

const POOL = {
  default_environment: { POOL_TOKEN: "planted-pool-variable", EMPTY: "" },
  default_proxy: {
    proxy_url: "http://proxy.example:3128",
    proxy_username: "pool-user",
    proxy_password: "planted-pool-password",
  },
};

const SESSION = {
  environment: { TOKEN: "planted-session-variable" },
  proxy: {
    proxy_url: "http://other.example:3128",
    proxy_username: "user",
    proxy_password: "planted-session-password",
  },
};

if (IS_REMOTE) {
  // deno-lint-ignore no-console -- the reason of a skipped test is its result
  console.log("skipped: secrets in a file: the database is remote");
}

/** Defines a test that needs a database file. */
function testFile(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: IS_REMOTE, fn });
}

/** Creates a folder that several grids open in turn. */
async function folder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir({ prefix: "browsergrid-test-" });
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

function reopen(path: string, settings = {}): Promise<TestGrid> {
  return testGrid({ dataDir: path, hasKeyFile: true, settings });
}

/** Returns every byte of the database, including its log. */
async function readBytes(path: string): Promise<string> {
  const files = ["browsergrid.db", "browsergrid.db-wal", "browsergrid.db-shm"];
  const texts = await Promise.all(
    files.map((name) => Deno.readFile(join(path, name)).catch(() => undefined)),
  );
  return texts.map((bytes) =>
    bytes ? new TextDecoder("latin1").decode(bytes) : ""
  ).join("\n");
}

async function assertNonePlain(path: string): Promise<void> {
  const bytes = await readBytes(path);
  for (const secret of PLANTED) assert.ok(!bytes.includes(secret), secret);
}

/** Creates a pool and a session with secrets; returns the session's id. */
async function plant(grid: TestGrid): Promise<string> {
  const api = createApiClient(grid);
  await api.pool(POOL);
  return (await api.session(SESSION)).id;
}

/** Returns the claimed session as the worker receives it. */
async function claimed(grid: TestGrid) {
  const api = createApiClient(grid);
  return await api.claim(await api.worker());
}

testFile(
  "secrets of pools and sessions do not occur in the database or its log, and reach the worker",
  async () => {
    await using data = await folder();
    await using grid = await reopen(data.path);
    const id = await plant(grid);
    const api = createApiClient(grid);
    await api.call("PATCH", "/workerpool/pools/pool", { priority: 3 });
    const { body: pool } = await api.call("GET", "/workerpool/pools/pool");
    assert.deepEqual(pool.default_environment, ["POOL_TOKEN", "EMPTY"]);
    const { body: session } = await api.call("GET", `/sessions/${id}`);
    assert.deepEqual(session.environment, ["POOL_TOKEN", "EMPTY", "TOKEN"]);
    assert.equal(session.proxy.proxy_username, "user");
    const given = await claimed(grid);
    assert.deepEqual(given?.environment, {
      ...POOL.default_environment,
      ...SESSION.environment,
    });
    assert.deepEqual(given?.proxy, SESSION.proxy);
    const inherits = await api.session();
    const other = await claimed(grid);
    assert.equal(other?.id, inherits.id);
    assert.deepEqual(other?.proxy, POOL.default_proxy);
    await assertNonePlain(data.path);
  },
);

testFile(
  "the key is in a file that only its owner can read, and the next start uses it",
  async () => {
    await using data = await folder();
    {
      await using grid = await reopen(data.path);
      await plant(grid);
    }
    const path = join(data.path, "encryption.key");
    const { mode } = await Deno.stat(path);
    assert.equal((mode ?? 0) & 0o777, 0o600);
    assert.match(await Deno.readTextFile(path), /^[0-9a-f]{64}\n$/);
    const unfinished = `${path}.${crypto.randomUUID()}`;
    await Deno.writeTextFile(unfinished, "left by a killed process");
    await using grid = await reopen(data.path);
    assert.deepEqual((await claimed(grid))?.proxy, SESSION.proxy);
    await assert.rejects(Deno.stat(unfinished), Deno.errors.NotFound);
  },
);

testFile(
  "two servers that create the key at once use the same key",
  async () => {
    await using data = await folder();
    {
      await using _ = await reopen(data.path);
    }
    await Deno.remove(join(data.path, "encryption.key"));
    const db = new DatabaseSync(join(data.path, "browsergrid.db"));
    db.exec("DELETE FROM grid_secrets");
    db.close();
    const [one, two] = await Promise.all([
      reopen(data.path),
      reopen(data.path),
    ]);
    await using _one = one;
    await using _two = two;
    await plant(one);
    assert.deepEqual((await claimed(two))?.proxy, SESSION.proxy);
  },
);

testFile("a copy of the database is not enough to forge a token", async () => {
  await using data = await folder();
  await using grid = await reopen(data.path);
  const { id } = await createApiClient(grid).pool().then(() =>
    createApiClient(grid).session()
  );
  const tokens = grid.core.auth.connectTokens;
  assert.ok(await tokens.isValid(await tokens.issue(id), id));
  using copy = new DatabaseSync(join(data.path, "browsergrid.db"));
  const rows = copy.prepare("SELECT value FROM grid_secrets").all();
  assert.equal(rows.length, 1);
  for (const { value } of rows) {
    const text = String(value);
    const guesses = [
      new TextEncoder().encode(text),
      Uint8Array.fromBase64(text.split(".")[2] ?? "", {
        alphabet: "base64url",
      }),
    ];
    for (const guess of guesses) {
      const forged = new HmacConnectTokens({
        clock: systemClock,
        lifetimeMs: 60_000,
        secret: () => Promise.resolve(guess),
      });
      assert.ok(!await tokens.isValid(await forged.issue(id), id));
    }
  }
});

testFile(
  "a start with a wrong or missing key fails with a reason and changes nothing",
  async () => {
    await using data = await folder();
    {
      await using grid = await reopen(data.path);
      await plant(grid);
    }
    const path = join(data.path, "encryption.key");
    const key = await Deno.readTextFile(path);
    await assert.rejects(
      reopen(data.path, { encryption_key: "ab".repeat(32) }),
      /encrypted with key [0-9a-f]{8}, and here is key [0-9a-f]{8}, expected the same encryption_key/,
    );
    await Deno.remove(path);
    await assert.rejects(
      reopen(data.path),
      /their key is missing, expected the file ".*encryption\.key" or BROWSERGRID_ENCRYPTION_KEY/,
    );
    await Deno.writeTextFile(path, "short");
    await assert.rejects(
      reopen(data.path),
      /file ".*": expected 32 bytes in hex/,
    );
    await Deno.writeTextFile(path, key);
    await using grid = await reopen(data.path);
    assert.deepEqual((await claimed(grid))?.proxy, SESSION.proxy);
  },
);

testFile(
  "the next start encrypts the secrets of an earlier key with the current one",
  async () => {
    await using data = await folder();
    {
      await using grid = await reopen(data.path);
      await plant(grid);
    }
    const old = (await Deno.readTextFile(join(data.path, "encryption.key")))
      .trim();
    const settings = { encryption_key: "cd".repeat(32) };
    {
      await using _ = await reopen(data.path, {
        ...settings,
        previous_encryption_keys: [old],
      });
    }
    await using grid = await reopen(data.path, settings);
    assert.deepEqual((await claimed(grid))?.proxy, SESSION.proxy);
  },
);

testFile(
  "one start removes all plain-text secrets from an old database, and its tokens stay valid",
  async () => {
    await using data = await folder();
    const secret = "0f".repeat(32);
    {
      await using grid = await reopen(data.path);
      await plant(grid);
    }
    await Deno.remove(join(data.path, "encryption.key"));
    const db = new DatabaseSync(join(data.path, "browsergrid.db"));
    // Written in the form of the previous version.
    db.prepare("UPDATE grid_secrets SET value = ?").run(secret);
    db.prepare("UPDATE sessions SET environment = ?, proxy = ?").run(
      JSON.stringify(SESSION.environment),
      JSON.stringify(SESSION.proxy),
    );
    db.prepare(
      "UPDATE work_pools SET default_environment = ?, default_proxy = ?",
    )
      .run(
        JSON.stringify(POOL.default_environment),
        JSON.stringify(POOL.default_proxy),
      );
    db.close();
    assert.ok((await readBytes(data.path)).includes(PLANTED[0] ?? ""));
    const { connectTokens: earlier } = {
      connectTokens: new HmacConnectTokens({
        clock: systemClock,
        lifetimeMs: 60_000,
        secret: () => Promise.resolve(Uint8Array.fromHex(secret)),
      }),
    };
    await using grid = await reopen(data.path);
    await assertNonePlain(data.path);
    assert.ok(!(await readBytes(data.path)).includes(secret));
    const token = await earlier.issue("a-session");
    assert.ok(await grid.core.auth.connectTokens.isValid(token, "a-session"));
    const given = await claimed(grid);
    assert.deepEqual(given?.environment, SESSION.environment);
    assert.deepEqual(given?.proxy, SESSION.proxy);
    const { body } = await createApiClient(grid).call(
      "PATCH",
      "/workerpool/pools/pool",
      {
        default_environment: { OTHER: "planted-pool-variable" },
      },
    );
    assert.deepEqual(body.default_environment, ["OTHER"]);
    await assertNonePlain(data.path);
  },
);

Deno.test("secrets add no round trip: a session with secrets is created in two and claimed in one", async () => {
  await using grid = await testGrid();
  await createApiClient(grid).pool(POOL);
  const api = createApiClient(grid);
  await api.session(SESSION);
  const worker = await api.worker();
  const before = grid.core.db.trips();
  await api.session(SESSION);
  assert.equal(grid.core.db.trips() - before, 2);
  await api.claim(worker);
  assert.equal(grid.core.db.trips() - before, 3);
});
