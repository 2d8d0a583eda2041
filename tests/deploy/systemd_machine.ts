/**
 * A container whose first process is the systemd of this host, with the bundled program and the project's files for
 * services in the working directory. It sees the host's programs read-only and has a loopback only.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { bundle } from "../../.ci/bundle.ts";
import { RUN_FLAGS } from "../../.ci/run_flags.ts";
import { ROOT } from "../support/doc_snippets.ts";
import { dockerMissing } from "../support/docker.ts";
import { eventually } from "../support/eventually.ts";

const IMAGE = "debian:bookworm-slim";

/** Rights of systemd in a container, in addition to those that every container has. */
const RIGHTS = ["SYS_ADMIN", "NET_ADMIN", "SYS_PTRACE", "SYS_NICE"];

const UNCONFINED = [
  "apparmor=unconfined",
  "seccomp=unconfined",
  "systempaths=unconfined",
];

/** Hierarchy in which systemd keeps its services. */
const CGROUP = "/sys/fs/cgroup/systemd";

const SYSTEMD = "/lib/systemd/systemd";

/** Folders of the host that its browser needs. */
const SHOWN = ["/usr", "/etc/alternatives", "/etc/fonts", "/etc/chromium.d"];

/** Folder of the project's files. */
const FILES = "/opt/systemd";

const UNITS = "/etc/systemd/system";

/** Why no systemd can run here; undefined if it can. */
export const systemdMissing: string | undefined = findReason();

/** A machine with systemd. */
export interface SystemdMachine extends AsyncDisposable {
  /** Runs lines of sh as root, which must succeed. Returns their output. */
  run(lines: string): Promise<string>;
  /** Waits until lines succeed. Returns their output. */
  until(what: string, lines: string): Promise<string>;
}

/** Starts the machine. */
export async function startSystemdMachine(): Promise<SystemdMachine> {
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "browsergrid-systemd-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const program = await prepare(folder);
  const { out: id } = await docker([
    ...["run", "--detach", "--network", "none", "--hostname", "host"],
    ...RIGHTS.flatMap((right) => ["--cap-add", right]),
    ...UNCONFINED.flatMap((option) => ["--security-opt", option]),
    ...["--tmpfs", "/run", "--tmpfs", "/tmp", "--env", "container=docker"],
    ...["--workdir", FILES],
    ...["--volume", `${CGROUP}:${CGROUP}`],
    ...[...SHOWN.map((path) => [path, path]), ...program].flatMap(
      ([from, to]) => ["--volume", `${from}:${to}:ro`],
    ),
    ...[IMAGE, "/bin/sh", "-ec"],
    // There is no network to wait for.
    `ln -s /dev/null ${UNITS}/systemd-networkd-wait-online.service
    ldconfig
    exec ${SYSTEMD} --unit=basic.target`,
  ]);
  stack.defer(async () => {
    await docker(["rm", "--force", "--volumes", id]);
  });
  const attempt = (lines: string) =>
    docker(["exec", id, "/bin/sh", "-euc", lines], { mayFail: true });
  const run = async (lines: string) => {
    const { code, out, error } = await attempt(lines);
    assert.equal(code, 0, `${lines}\n${out}${error}`);
    return out;
  };
  const machine = {
    run,
    until: (what: string, lines: string) =>
      eventually(what, () => run(lines), { withinMs: 60_000 }),
  };
  await machine.until(
    "systemd has started",
    "systemctl is-active basic.target",
  );
  const owned = stack.move();
  return { ...machine, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Writes the program. Returns their paths on this host and on the machine. */
async function prepare(
  folder: string,
): Promise<readonly (readonly [from: string, to: string])[]> {
  await Deno.chmod(folder, 0o755);
  await bundle(join(folder, "bundle"));
  await Deno.mkdir(join(folder, "bin"));
  await Deno.writeTextFile(
    join(folder, "bin/browsergrid"),
    `#!/bin/sh\nexec /opt/deno ${
      RUN_FLAGS.join(" ")
    } /opt/bundle/main.js "$@"\n`,
    { mode: 0o755 },
  );
  return [
    [join(folder, "bin"), "/usr/local/bin"],
    [join(folder, "bundle"), "/opt/bundle"],
    [join(ROOT, "deploy/systemd"), FILES],
    [await Deno.realPath(Deno.execPath()), "/opt/deno"],
  ];
}

async function docker(
  args: readonly string[],
  { mayFail = false } = {},
): Promise<{ readonly code: number; out: string; error: string }> {
  const { code, stdout, stderr } = await new Deno.Command("docker", {
    args: [...args],
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  const [out, error] = [stdout, stderr].map((bytes) =>
    decoder.decode(bytes).trim()
  ) as [string, string];
  assert.ok(mayFail || code === 0, `docker ${args[0]}: ${error}`);
  return { code, out, error };
}

function findReason(): string | undefined {
  if (dockerMissing !== undefined) return dockerMissing;
  const path = [SYSTEMD, CGROUP, ...SHOWN].find((each) => !existsSync(each));
  return path === undefined ? undefined : `${path} is missing`;
}
