import assert from "node:assert/strict";
import { join } from "node:path";
import { createChildEnvironment } from "../../../src/providers/kit/child_environment.ts";

async function sources(folder: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  const found = await Promise.all(entries.map(({ name, isDirectory }) => {
    const path = join(folder, name);
    return isDirectory ? sources(path) : path.endsWith(".ts") ? [path] : [];
  }));
  return found.flat();
}

Deno.test("createChildEnvironment() passes on only the variables that programs need", () => {
  const passed = {
    PATH: "/bin",
    HOME: "/home/a",
    LC_ALL: "C",
    XDG_RUNTIME_DIR: "/run/user/1",
    LD_LIBRARY_PATH: "/nix/lib",
    SystemRoot: "C:\\Windows",
    no_proxy: "localhost",
  };
  const secrets = {
    BROWSERGRID_API_KEY: "planted",
    BROWSERGRID_DATABASE_AUTH_TOKEN: "planted",
    AWS_SECRET_ACCESS_KEY: "planted",
    GITHUB_TOKEN: "planted",
    XDG_SECRET: "planted",
    CHROME_API_KEY: "planted",
    PGPASSWORD: "planted",
    LD_PRELOAD: "planted",
    ANYTHING: "planted",
  };
  assert.deepEqual(createChildEnvironment({ ...passed, ...secrets }), passed);
});

Deno.test("createChildEnvironment() removes user names and passwords from proxies", () => {
  const { ALL_PROXY, http_proxy, HTTPS_PROXY } = createChildEnvironment({
    http_proxy: "http://user:p@ss@proxy.example:3128",
    HTTPS_PROXY: "user:pass@proxy.example:3128",
    ALL_PROXY: "socks5://proxy.example:1080",
  });
  assert.equal(http_proxy, "http://proxy.example:3128");
  assert.equal(HTTPS_PROXY, "proxy.example:3128");
  assert.equal(ALL_PROXY, "socks5://proxy.example:1080");
});

Deno.test("no source starts a process that inherits the program's whole environment", async () => {
  const starts = /(?:new Deno\.Command|(?<![.\w])spawn(?:Sync)?)\(/g;
  let found = 0;
  for (const path of await sources("src")) {
    const text = await Deno.readTextFile(path);
    for (const { index } of text.matchAll(starts)) {
      found++;
      const call = text.slice(index, index + 700);
      assert.match(call, /\benv(: |,)/, `${path}: ${call}`);
      const isDeno = call.startsWith("new");
      assert.ok(!isDeno || call.includes("clearEnv: true"), `${path}: ${call}`);
    }
  }
  assert.ok(found >= 8, `${found} places start processes`);
});
