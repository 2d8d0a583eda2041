import assert from "node:assert/strict";
import { join } from "node:path";
import { browserSpec } from "../../../support/browser_spec.ts";
import { docker, dockerTest, testDockerHost } from "../../../support/docker.ts";
import {
  IDENTITY_TOKEN,
  type PrivateRegistry,
  startPrivateRegistry,
  USER,
} from "../../../support/private_registry.ts";
import { temporaryFolder } from "../../../support/temporary_folder.ts";

const NEVER = new AbortController().signal;

const POOL = {
  registry_username: USER.username,
  registry_password: USER.password,
};

const PAIR = `${USER.username}:${USER.password}`;

/** Pulls the image of a pool with `config`, and removes it. */
async function pull(
  image: string,
  config: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  await using test = await testDockerHost({ image, pull: "always", ...config });
  await test.host.prepare?.(NEVER);
  await docker.getImage(image).remove();
}

/** Returns the message of a pull that fails, which must not contain a secret. */
async function failPull(
  registry: PrivateRegistry,
  config: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const error = await pull(registry.image, config).then(
    () => assert.fail("expected an error"),
    (error: unknown) => error,
  );
  assert.ok(error instanceof Error);
  const shown = Deno.inspect(error, { depth: 10 });
  for (
    const secret of [USER.password, "wrong-planted", btoa(PAIR), IDENTITY_TOKEN]
  ) {
    assert.ok(!shown.includes(secret), shown);
  }
  return error.message;
}

/** Runs `fn` with Docker's configuration, and with its helpers on the PATH. */
async function withDockerConfig(
  { config, helpers = {} }: {
    readonly config: object | string;
    readonly helpers?: Readonly<Record<string, string>>;
  },
  fn: () => Promise<void>,
): Promise<void> {
  await using folder = await temporaryFolder();
  const path = Deno.env.get("PATH") ?? "";
  const text = typeof config === "string" ? config : JSON.stringify(config);
  await Deno.writeTextFile(join(folder.path, "config.json"), text);
  for (const [name, script] of Object.entries(helpers)) {
    await Deno.writeTextFile(
      join(folder.path, `docker-credential-${name}`),
      `#!/bin/sh\n${script}\n`,
      { mode: 0o755 },
    );
  }
  Deno.env.set("DOCKER_CONFIG", folder.path);
  Deno.env.set("PATH", `${folder.path}:${path}`);
  try {
    await fn();
  } finally {
    Deno.env.delete("DOCKER_CONFIG");
    Deno.env.set("PATH", path);
  }
}

for (const scheme of ["basic", "bearer"] as const) {
  dockerTest(
    `a pull from a registry with ${scheme} authentication succeeds with the pool's credentials, and fails without or with wrong ones`,
    async () => {
      await using registry = await startPrivateRegistry(scheme);
      await withDockerConfig({ config: {} }, async () => {
        await pull(registry.image, POOL);
        assert.match(
          await failPull(registry),
          new RegExp(
            `^Cannot pull image "${registry.image}": .+; there are no credentials for registry "${registry.host}", expected registry_username and registry_password of the pool, or "docker login" on the worker's host$`,
          ),
        );
        const wrong = { ...POOL, registry_password: "wrong-planted" };
        assert.match(
          await failPull(registry, wrong),
          new RegExp(
            `^Cannot pull image "${registry.image}": .+; registry "${registry.host}" does not accept the credentials of the pool, expected others in registry_username and registry_password of the pool$`,
          ),
        );
        assert.match(
          await failPull(registry, { registry_username: "robot" }),
          /registry_password is missing, expected registry_username and registry_password$/,
        );
      });
    },
  );
}

dockerTest(
  "a pull uses the entry of Docker's configuration for its registry",
  async () => {
    await using registry = await startPrivateRegistry("bearer");
    const auths = {
      "registry.example": { auth: btoa("other:planted") },
      [`http://${registry.host}/v2/`]: { auth: btoa(PAIR) },
    };
    await withDockerConfig({ config: { auths } }, () => pull(registry.image));
    const wrong = { [registry.host]: { auth: btoa("robot:wrong-planted") } };
    await withDockerConfig({ config: { auths: wrong } }, async () => {
      assert.match(
        await failPull(registry),
        /does not accept the credentials of \/.+config\.json, expected/,
      );
      // The pool's own come first.
      await pull(registry.image, POOL);
    });
  },
);

dockerTest(
  "a pull uses the helper that Docker's configuration names, also for tokens",
  async () => {
    await using registry = await startPrivateRegistry("bearer");
    const { host } = registry;
    const printsUser =
      `[ "$1" = get ] && read -r server && [ "$server" = ${host} ] && printf '{"ServerURL":"%s","Username":"robot","Secret":"${USER.password}"}' "$server"`;
    const printsToken =
      `printf '{"Username":"<token>","Secret":"${IDENTITY_TOKEN}"}'`;
    const hasNone = "echo credentials not found in native keychain; exit 1";
    const helpers = { user: printsUser, token: printsToken, none: hasNone };
    const configs = [
      { credsStore: "user" },
      { credHelpers: { [host]: "token" }, credsStore: "none" },
      { credsStore: "none", auths: { [host]: { auth: btoa(PAIR) } } },
    ];
    for (const config of configs) {
      await withDockerConfig({ config, helpers }, () => pull(registry.image));
    }
    assert.ok(registry.presented.some((each) => each.includes(IDENTITY_TOKEN)));
  },
);

dockerTest(
  "a pull with a broken configuration of Docker, or helper, needs a public image, or fails with its name and without its content",
  async () => {
    await using registry = await startPrivateRegistry("basic");
    await using open = await startPrivateRegistry("none");
    const helpers = {
      broken: "echo wrong-planted; exit 3",
      text: "echo wrong-planted",
      flood: "yes wrong-planted",
    };
    const cases = [
      [`{"auths": wrong-planted`, /Docker configuration ".+": it is not valid/],
      [{ credsStore: "../x" }, /Docker configuration ".+": it is not valid/],
      [{ auths: { [registry.host]: { auth: "%" } } }, /member auth is not/],
      [{ credsStore: "broken" }, /"docker-credential-broken" .*exited with 3/],
      [{ credsStore: "text" }, /its output is not valid, expected JSON/],
      [{ credsStore: "flood" }, /it printed more than 65536 bytes/],
      [{ credsStore: "absent" }, /it is not installed, expected it on the/],
    ] as const;
    for (const [config, expected] of cases) {
      await withDockerConfig({ config, helpers }, async () => {
        assert.match(await failPull(registry), expected);
        await pull(open.image);
      });
    }
    assert.deepEqual([registry.presented, open.presented], [[], []]);
  },
);

dockerTest(
  "credentials are sent only to the registry that they belong to",
  async () => {
    await using own = await startPrivateRegistry("basic");
    await using other = await startPrivateRegistry("basic");
    const auths = { [own.host]: { auth: btoa(PAIR) } };
    await withDockerConfig({ config: { auths } }, async () => {
      await failPull(other);
      // The version of a session replaces the registry.
      await using test = await testDockerHost({
        image: "{version}/private/browser",
        pull: "always",
        ...POOL,
      });
      const spec = { browser: "chromium", version: other.host } as const;
      await assert.rejects(
        async () => await test.host.prepare?.(NEVER, browserSpec(spec)),
        /there are no credentials for registry/,
      );
    });
    assert.deepEqual([own.presented, other.presented], [[], []]);
  },
);

dockerTest(
  "check() names the credentials with which a missing image will be pulled",
  async () => {
    const check = async (config: Readonly<Record<string, unknown>>) => {
      await using test = await testDockerHost({
        image: "127.0.0.1:9/private/browser",
        pull: "missing",
        ...config,
      });
      const checks = await test.host.check();
      const found = checks.find(({ name }) => name === "image");
      assert.ok(!found?.detail.includes(USER.password));
      return `${found?.status}: ${found?.detail}`;
    };
    await withDockerConfig({ config: {} }, async () => {
      assert.match(await check({}), /^warn: .* pulled without credentials;/);
      assert.match(
        await check(POOL),
        /^warn: .* pulled with the credentials of the pool;/,
      );
      assert.match(
        await check({ registry_username: "robot" }),
        /^fail: .* cannot be pulled: .* registry_password is missing/,
      );
    });
    await withDockerConfig({ config: { credsStore: "absent" } }, async () => {
      assert.match(
        await check({}),
        /^warn: .* pulled without credentials \(Cannot run credential helper "docker-credential-absent" .* not installed/,
      );
    });
  },
);
