/**
 * The image of server and worker, also in containers that are started as the documentation says.
 *
 * @module
 */
import assert from "node:assert/strict";
import config from "../../deno.json" with { type: "json" };
import { createClient } from "../../src/client/client.ts";
import { snippet } from "../e2e/docs_scene.ts";
import { cdpClient } from "../support/cdp_client.ts";
import {
  docker,
  dockerMissing,
  listContainers,
  runInContainer,
  TEST_IMAGE,
} from "../support/docker.ts";
import { eventually, gone } from "../support/eventually.ts";
import { freePort } from "../support/free_port.ts";
import {
  callDocker,
  inspectContainer,
  openProgramImage,
  type ProgramImage,
  runCommand,
  untilHealthy,
} from "../support/program_image.ts";

/** Largest size of what the image adds to Debian. */
const MAX_BYTES = 115_000_000;

/** Longest time from the start of a container to an answer of a browser. */
const BROWSER_MS = 60_000;

/** Most memory of a server that is ready. Without the image's compiled code it takes 105 MB. */
const MAX_RESIDENT_KB = 95_000;

const KEY = "key-of-the-image-0123456789";

/** Options of `docker run` for a server with a key, whose health is known soon. */
const SERVER = [
  ...["--env", `BROWSERGRID_API_KEY=${KEY}`, "--health-interval", "1s"],
  ...["--publish", "127.0.0.1::8765"],
];

if (dockerMissing !== undefined) {
  // deno-lint-ignore no-console -- the reason of a skipped test is its result
  console.log(`skipped: the image of the program: ${dockerMissing}`);
}

/** Returns a client of the server in a container. */
async function connect(container: string) {
  const address = await callDocker("port", container, "8765/tcp");
  return createClient({ apiUrl: `http://${address}`, apiKey: KEY });
}

/** Stops a container in good order. Returns its exit code. */
async function stop(container: string): Promise<string> {
  await callDocker("stop", container);
  return await inspectContainer(container, ".State.ExitCode");
}

/** Reports whether a file or process of a container exists. */
async function exists(container: string, path: string): Promise<boolean> {
  return await runInContainer(container, "test", "-e", path) === 0;
}

async function checkParts(image: ProgramImage): Promise<void> {
  const [{ Config, Size, RootFS }, base] = await Promise.all([
    docker.getImage(image.tag).inspect(),
    docker.getImage("debian:bookworm-slim").inspect(),
  ]);
  assert.ok(Size - base.Size < MAX_BYTES, `${Size - base.Size} bytes`);
  assert.deepEqual(RootFS.Layers?.[0], base.RootFS.Layers?.[0]);
  assert.equal(Config.User, "10001:0");
  assert.deepEqual(Object.keys(Config.Volumes ?? {}), ["/data"]);
  const names = (Config.Env ?? []).map((each) => each.split("=")[0]);
  assert.deepEqual(names.sort(), [
    ...["BROWSERGRID_DATA_DIR", "BROWSERGRID_HOST", "BROWSERGRID_PORT"],
    ...["DENO_DIR", "PATH"],
  ]);
  const title = Config.Labels?.["org.opencontainers.image.title"];
  assert.equal(title, "browsergrid");
}

async function checkCommands(image: ProgramImage): Promise<void> {
  const { out } = await image.run([], "--version");
  assert.equal(out, config.version);
  assert.equal((await image.run([], "nothing")).code, 2);
  const open = await image.run([], "serve");
  assert.equal(open.code, 2);
  assert.match(open.err, /there is no key, expected an admin key/);
}

/** Checks that the program in a container uses the image's compiled code. */
async function checkMemory(container: string): Promise<void> {
  const status = await callDocker(
    ...["exec", container, "sh", "-c"],
    'cat "/proc/$(tr -d " " </proc/1/task/1/children)/status"',
  );
  const [, resident] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? [];
  assert.ok(Number(resident) < MAX_RESIDENT_KB, `${resident} KB`);
}

async function checkServer(image: ProgramImage): Promise<void> {
  const data = await image.volume();
  const mount = ["--volume", `${data}:/data`];
  const first = await image.start([...SERVER, ...mount], "serve");
  await untilHealthy(first);
  const status = await callDocker("exec", first, "cat", "/proc/1/status");
  assert.match(status, /^Name:\ttini$/m);
  assert.match(status, /^Uid:\t10001\t10001\t/m);
  await checkMemory(first);
  // The shell ends before its child, whose parent is process 1 then.
  const orphan = await callDocker(
    ...["exec", first, "sh", "-c", "sleep 0.2 >/dev/null & echo $!"],
  );
  await eventually(
    "process 1 waits for the orphan",
    async () => !await exists(first, `/proc/${orphan}`),
  );
  await callDocker(
    ...["exec", first, "browsergrid", "pool", "create", "docker"],
    ...["--name", "kept"],
  );

  await callDocker("kill", "--signal", "KILL", first);
  await callDocker("start", first);
  await untilHealthy(first);
  const client = await connect(first);
  assert.deepEqual((await client.listPools()).items.map(({ name }) => name), [
    "kept",
  ]);
  assert.equal(await stop(first), "0");

  const readOnly = ["--read-only", "--tmpfs", "/tmp", ...mount];
  const second = await image.start([...SERVER, ...readOnly], "serve");
  await untilHealthy(second);
  await checkMemory(second);
  const other = await connect(second);
  assert.equal((await other.listPools()).items.length, 1);
  assert.equal(await stop(second), "0");

  const stranger = await image.run([...mount, "--user", "12345"], "migrate");
  assert.equal(stranger.code, 1);
  assert.match(
    stranger.err,
    /^error: Cannot use "\/data\/encryption.key" as user 12345: .*$/,
  );
}

async function checkUsers(image: ProgramImage): Promise<void> {
  const server = await image.start([...SERVER, "--user", "12345"], "serve");
  await untilHealthy(server);
  assert.equal(await stop(server), "0");
  const { code, err } = await image.run(
    [...SERVER, "--user", "12345:12345"],
    "serve",
  );
  assert.equal(code, 1);
  assert.match(
    err,
    /^error: Cannot use "\/data" as user 12345: permission denied, .*$/,
  );
}

/** Runs lines of the documentation, with other names. Returns their output. */
async function runLines(
  lines: string,
  names: Readonly<Record<string, string>>,
): Promise<string> {
  for (const [name, other] of Object.entries(names)) {
    assert.ok(lines.includes(name), `${lines} has no "${name}"`);
    lines = lines.replace(name, other);
  }
  const { code, out, err } = await runCommand("sh", ["-c", lines]);
  assert.equal(code, 0, `${lines}\n${err}`);
  return out;
}

/** The documentation's build of the browsers' image, whose layers are in the engine's cache. */
async function checkBuild(image: ProgramImage): Promise<void> {
  const tag = `${TEST_IMAGE.split(":")[0]}:${image.tag.split(":")[1]}`;
  await runLines(snippet("image_of_browsers"), {
    "browsergrid docker build-image":
      `${image.tag} docker build-image --tag ${tag}`,
  });
  const { Config } = await docker.getImage(tag).inspect();
  assert.equal(Config.Labels?.["browsergrid.image"], "1");
  await callDocker("rmi", tag);
}

/** A worker in another network than its browsers, and one that may not use the engine. */
async function checkRights(image: ProgramImage): Promise<void> {
  const socket = ["--volume", "/var/run/docker.sock:/var/run/docker.sock"];
  const check = ["check", "--provider", "docker"];
  const denied = await image.run(socket, ...check);
  assert.match(
    denied.out,
    /^fail +docker engine .*EACCES.* --group-add "\$\(stat -c %g \/var\/run\/docker.sock\)"$/m,
  );
  const { gid } = await Deno.stat("/var/run/docker.sock");
  const options = [...socket, "--group-add", `${gid}`];
  const apart = await image.run(options, ...check);
  assert.match(
    apart.out,
    /^fail +docker network +Cannot reach browsers: this worker has no address in network/m,
  );
  const server = await image.start(
    [...SERVER, ...options],
    ...["serve", "--with-worker", "docker"],
  );
  await untilHealthy(server);
  const client = await connect(server);
  await assert.rejects(
    client.createSession({}, { waitSeconds: 60 }),
    /is failed: Cannot reach browsers: this worker has no address/,
  );
  assert.equal(await stop(server), "0");
}

/** The documentation's server with a worker. */
async function checkBrowser(image: ProgramImage): Promise<void> {
  const port = freePort();
  const data = await image.volume();
  const startedAt = performance.now();
  const container = await runLines(snippet("container"), {
    "--name browsergrid": `--label ${image.label}`,
    "--env": `--env BROWSERGRID_PORT=${port} --env`,
    "--volume browsergrid:": `--volume ${data}:`,
    "  browsergrid serve": `  ${image.tag} serve`,
  });
  const client = createClient({ apiUrl: `http://127.0.0.1:${port}` });
  const session = await eventually(
    "a session runs",
    () => client.createSession({}, { waitSeconds: 60 }),
  );
  const [target] = await client.listSessionTargets(session.id);
  {
    await using page = await cdpClient(
      String(target?.["webSocketDebuggerUrl"]),
    );
    assert.equal(await page.evaluate("6 * 7"), 42);
  }
  const ms = Math.round(performance.now() - startedAt);
  // deno-lint-ignore no-console -- a figure of the documentation
  console.log(`first driven browser: ${ms} ms`);
  assert.ok(ms < BROWSER_MS, `${ms} ms`);
  assert.ok(session.container_id);
  const { Config } = await docker.getContainer(session.container_id).inspect();
  const gridId = Config.Labels["browsergrid.grid_id"] ?? "";
  assert.equal((await listContainers(gridId)).length, 1);
  assert.equal(await stop(container), "0");
  await gone("browser containers", () => listContainers(gridId));
}

/** A worker whose server does not answer yet has no address to ask, and stops in good order. */
async function checkWorker(image: ProgramImage): Promise<void> {
  const worker = await image.start(
    ["--health-interval", "1s"],
    ...["worker", "--work-pool-id", "any", "--api-url", "http://127.0.0.1:1"],
  );
  await untilHealthy(worker);
  assert.equal(await stop(worker), "0");
  // A server that does not listen is not healthy.
  const { code } = await runCommand("docker", [
    ...["run", "--rm", "--entrypoint", "tini", image.tag, "--", "sh", "-c"],
    // The name of the command is what the check looks for.
    ...['browsergrid-health; exit "$?"', "browsergrid", "serve"],
  ]);
  assert.equal(code, 1);
}

Deno.test({
  name:
    "the image runs servers and workers as an unprivileged user, keeps their data, and stops in good order",
  ignore: dockerMissing !== undefined,
  async fn(t) {
    await using image = await openProgramImage();
    await t.step("parts", () => checkParts(image));
    await t.step("commands and exit codes", () => checkCommands(image));
    await t.step(
      "a server, its processes and its data, after kill -9 and in a new container",
      () => checkServer(image),
    );
    await t.step("other users", () => checkUsers(image));
    await t.step("the image of browsers", () => checkBuild(image));
    await t.step("a worker", () => checkWorker(image));
    await t.step("a worker without rights", () => checkRights(image));
    await t.step(
      "a browser within a minute of docker run",
      () => checkBrowser(image),
    );
  },
});
