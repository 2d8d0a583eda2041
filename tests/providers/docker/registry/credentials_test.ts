import assert from "node:assert/strict";
import { join } from "node:path";
import { findCredentials } from "../../../../src/providers/docker/registry/credentials.ts";
import { temporaryFolder } from "../../../support/temporary_folder.ts";

const NEVER = new AbortController().signal;

Deno.test("the host's credentials are sent to its own engines only, and those of a pool to the pool's", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(
    join(folder.path, "config.json"),
    JSON.stringify({ auths: { "r.example": { auth: btoa("host:secret") } } }),
  );
  const before = [Deno.env.get("DOCKER_CONFIG"), Deno.env.get("DOCKER_HOST")];
  Deno.env.set("DOCKER_CONFIG", folder.path);
  Deno.env.set("DOCKER_HOST", "tcp://build.example:2375");
  try {
    const image = "r.example/chromium:1";
    const find = async (config: object) =>
      (await findCredentials(image, { image, ...config }, NEVER)).credentials
        ?.auth.username;
    assert.equal(await find({}), "host");
    for (
      const own of ["unix:///run/other.sock", "tcp://build.example:2375"]
    ) {
      assert.equal(await find({ docker_host: own }), "host", own);
    }
    const docker_host = "tcp://engine.example:2375";
    assert.equal(await find({ docker_host }), undefined);
    const pool = { registry_username: "pool", registry_password: "p" };
    assert.equal(await find({ docker_host, ...pool }), "pool");
  } finally {
    for (const [at, name] of ["DOCKER_CONFIG", "DOCKER_HOST"].entries()) {
      const value = before[at];
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    }
  }
});
