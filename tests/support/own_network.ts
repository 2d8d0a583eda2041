import { OWN_ADDRESSES, REBOUND_NAME, SITE_NAME } from "./sandbox_scene.ts";

/** Why no program can run in a separate network here; undefined if one can. */
export const ownNetworkProblem: string | undefined = Deno.build.os !== "linux"
  ? "sandboxes are for Linux"
  : Deno.uid() !== 0
  ? "only root makes a network of its own for a test"
  : undefined;

/** Creates the network, the hosts file and the files that another user needs, then runs the program. */
const SCRIPT = `set -e
ip link set lo up
ip link add a0 type veth peer name a1
for at in ${
  OWN_ADDRESSES.map((each) => `${each}/${each.includes(":") ? "128" : "32"}`)
    .join(" ")
}; do ip address add "$at" dev a0 nodad 2>/dev/null || ip address add "$at" dev a0; done
ip link set a0 up; ip link set a1 up; ip route add default dev a0
printf '127.0.0.1 localhost ${REBOUND_NAME}\\n11.22.33.44 ${SITE_NAME}\\n' >"$1/hosts"
mount --bind "$1/hosts" /etc/hosts
mount --bind "$2" "$1/deno-dir"; mount --bind "$3" "$1/project"; mount --bind "$4" "$1/deno"
user=$5; shift 5
cd "$PROJECT"
[ "$user" = 0 ] && exec "$@"
exec setpriv --reuid "$user" --regid "$user" --clear-groups "$@"`;

/** Id of an ordinary user that does not exist. */
const USER_ID = "61235";

/** Runs a program of this folder in a separate network, as root or an ordinary user, and returns its output. */
export async function inOwnNetwork(
  program: string,
  { args = [], asRoot }: {
    readonly args?: readonly string[];
    readonly asRoot: boolean;
  },
): Promise<string> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.chmod(folder, 0o777);
    for (const name of ["deno-dir", "project"]) {
      await Deno.mkdir(`${folder}/${name}`);
    }
    await Deno.writeTextFile(`${folder}/deno`, "");
    const { stdout, stderr, success } = await new Deno.Command("unshare", {
      args: [
        ...["--net", "--mount", "sh", "-c", SCRIPT, "sh", folder],
        ...[await denoDir(), Deno.cwd(), Deno.execPath()],
        ...[asRoot ? "0" : USER_ID, "timeout", "--kill-after=5", "100"],
        ...[`${folder}/deno`, "run", "--quiet", "--no-check", "--frozen"],
        ...["--cached-only", "-A", `tests/support/${program}`, ...args],
      ],
      env: {
        PROJECT: `${folder}/project`,
        DENO_DIR: `${folder}/deno-dir`,
        HOME: folder,
      },
      stdin: "null",
    }).output();
    const [out = "", err = ""] = [stdout, stderr].map((each) =>
      new TextDecoder().decode(each)
    );
    if (!success) throw new Error(`${program} failed: ${out}${err}`);
    return out;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function denoDir(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json"],
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout)).denoDir;
}
