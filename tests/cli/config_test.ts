import assert from "node:assert/strict";
import { join } from "node:path";
import {
  connectClient,
  explainSettings,
  findProxy,
  resolvePluginNames,
  resolveSettings,
} from "../../src/cli/config.ts";
import { SettingsError } from "../../src/core/settings.ts";
import { cli } from "../support/cli.ts";
import { testGrid } from "../support/grid.ts";
import { silent } from "../support/silent_output.ts";

const TEXT = '{ "port": 4321, "data_dir": "/srv/grün" }';

/** Encodes the text in UTF-16 with a byte order mark. */
function utf16(text: string, isLittle: boolean): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(2 * text.length + 2));
  [...`\ufeff${text}`].forEach((character, at) =>
    bytes.setUint16(2 * at, character.charCodeAt(0), isLittle)
  );
  return new Uint8Array(bytes.buffer);
}

const utf8 = (text: string) => new TextEncoder().encode(text);
const LITTLE = true;
const BIG = false;

Deno.test("a configuration file may be UTF-8, with or without a byte order mark, or UTF-16 with one", async () => {
  const folder = await Deno.makeTempDir({ prefix: "browsergrid-test-" });
  const path = join(folder, "browsergrid.json");
  const contents = [
    utf8(TEXT),
    utf8(`\ufeff${TEXT}`),
    utf16(TEXT, LITTLE),
    utf16(TEXT, BIG),
  ];
  for (const bytes of contents) {
    await Deno.writeFile(path, bytes);
    const { out, err, code } = await cli(
      ...["settings", "--values", "--json", "--config", path],
    );
    assert.equal(code, 0, err);
    assert.match(out, /4321/);
    assert.match(out, /\/srv\/grün/);
  }
  for (
    const bytes of [
      utf16(TEXT, LITTLE).slice(2),
      utf8(TEXT).map((each) => each ^ 0x80),
    ]
  ) {
    await Deno.writeFile(path, bytes);
    const { err, code } = await cli("settings", "--values", "--config", path);
    assert.notEqual(code, 0);
    assert.match(
      err,
      /Cannot read .*browsergrid\.json": expected a readable JSON/,
    );
  }
  await Deno.remove(folder, { recursive: true });
});

/** Runs `act` with variables of the environment, and restores them. */
async function withVariables(
  variables: Readonly<Record<string, string>>,
  act: () => Promise<void>,
): Promise<void> {
  const before = Object.keys(variables).map((name) =>
    [name, Deno.env.get(name)] as const
  );
  for (const [name, value] of Object.entries(variables)) {
    Deno.env.set(name, value);
  }
  try {
    await act();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    }
  }
}

async function withFile(
  content: unknown,
  act: (path: string) => Promise<void>,
): Promise<void> {
  const path = await Deno.makeTempFile({ suffix: ".json" });
  try {
    await Deno.writeTextFile(path, JSON.stringify(content));
    await act(path);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("a flag wins over a variable, a variable over the configuration file, and the file over the default", () =>
  withFile(
    { port: 1111, host: "127.0.0.2", log_format: "json" },
    (config) =>
      withVariables(
        { BROWSERGRID_PORT: "2222", BROWSERGRID_HOST: "127.0.0.3" },
        async () => {
          const { settings, origins } = await explainSettings(
            { port: "3333" },
            { config },
          );
          const { port, host, log_format, log_level } = settings;
          assert.deepEqual(
            [port, host, log_format, log_level],
            [3333, "127.0.0.3", "json", "info"],
          );
          assert.deepEqual(
            [origins.port, origins.host, origins.log_format, origins.log_level],
            [
              "flag --port",
              "variable BROWSERGRID_HOST",
              `file ${config}`,
              "default",
            ],
          );
        },
      ),
  ));

Deno.test("BROWSERGRID_CONFIG names the configuration file, and --config wins over it", () =>
  withFile(
    { port: 1111 },
    (first) =>
      withFile(
        { port: 2222 },
        (second) =>
          withVariables({ BROWSERGRID_CONFIG: first }, async () => {
            const one = await explainSettings({}, {});
            const two = await explainSettings({}, { config: second });
            assert.deepEqual([one.settings.port, two.settings.port], [
              1111,
              2222,
            ]);
          }),
      ),
  ));

Deno.test("--debug logs every step, and an unknown variable is a warning that is printed", () =>
  withVariables({ BROWSERGRID_COLOUR: "red" }, async () => {
    const errors: string[] = [];
    const output = {
      ...silent,
      error: (line: string) => void errors.push(line),
    };
    const settings = await resolveSettings({}, { debug: true }, output);
    assert.equal(settings.log_level, "debug");
    assert.equal(errors.length, 1);
    assert.match(errors[0] ?? "", /^warning: .*BROWSERGRID_COLOUR/);
  }));

Deno.test("a setting that is wrong or unknown is named with its source", () =>
  withFile({ prot: 1 }, async (config) => {
    await assert.rejects(
      explainSettings({}, { config }),
      (error) =>
        error instanceof SettingsError && /"prot".*"port"/.test(error.message),
    );
    await assert.rejects(
      explainSettings({ port: "many" }, {}),
      /setting "port" \(flag --port\)/,
    );
  }));

Deno.test("resolvePluginNames() reads the command line, else the environment or the file, and ignores a file that is missing", () =>
  withFile({ plugins: ["./a.ts"] }, async (config) => {
    assert.deepEqual(await resolvePluginNames([], config), ["./a.ts"]);
    assert.deepEqual(await resolvePluginNames(["./b.ts"], config), ["./b.ts"]);
    assert.deepEqual(await resolvePluginNames([], "/nowhere.json"), []);
    await withVariables(
      { BROWSERGRID_PLUGINS: '["./c.ts"]' },
      async () =>
        assert.deepEqual(await resolvePluginNames([], undefined), ["./c.ts"]),
    );
  }));

Deno.test("connectClient() uses the server and key of the options, else those of the settings", async () => {
  await using grid = await testGrid({
    listen: true,
    settings: { api_key: "key-0123456789" },
  });
  const options = { api_url: grid.url, api_key: "key-0123456789" };
  const client = await connectClient(options, silent);
  assert.deepEqual((await client.listPools()).items, []);
  await withVariables({
    BROWSERGRID_API_URL: grid.url,
    BROWSERGRID_API_KEY: "key-0123456789",
  }, async () => {
    const fromSettings = await connectClient({}, silent);
    assert.deepEqual((await fromSettings.listPools()).items, []);
  });
});

Deno.test("the proxy of the environment is used for other machines, but not for the grid's own addresses", () =>
  withVariables({
    HTTP_PROXY: "http://proxy.example:3128",
    NO_PROXY: "",
    no_proxy: "",
  }, async () => {
    await explainSettings({ public_url: "http://grid.example" }, {});
    const proxy = await findProxy("http://other.example");
    assert.equal(proxy?.host, "proxy.example:3128");
    for (const own of ["http://grid.example/v1", "http://127.0.0.1:8765"]) {
      assert.equal(await findProxy(own), undefined, own);
    }
  }));
