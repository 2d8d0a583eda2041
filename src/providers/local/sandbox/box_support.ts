import { toMessage } from "../../../core/log.ts";
import { createChildEnvironment } from "../../kit/child_environment.ts";
import { isRoot } from "../process/is_root.ts";
import { type BoxPrograms, findBoxPrograms } from "./box_programs.ts";
import { pickUserId, renderUserSwitch } from "./box_user.ts";

/** Timeout of the trial, which takes about 10 ms. */
const TRIAL_MS = 5_000;

/** Advice for error messages of the trial. The first match is used. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [
    /no permissions to create (?:a )?new namespace|operation not permitted|permission denied/i,
    "the kernel or the container does not allow unprivileged user namespaces: set sysctl kernel.unprivileged_userns_clone=1 and, on Ubuntu, kernel.apparmor_restrict_unprivileged_userns=0; in a container use the docker provider outside of it, or run it with seccomp=unconfined and systempaths=unconfined",
  ],
  [
    /no space left on device/i,
    "the limit of user namespaces is reached or zero: raise sysctl user.max_user_namespaces",
  ],
  [
    /can't mount proc/i,
    "/proc cannot be mounted, as in most containers: run the container with systempaths=unconfined",
  ],
];

/** The result of a trial: the programs of a box, or the problem. */
export type BoxSupport =
  | { readonly programs: BoxPrograms }
  | { readonly problem: string };

/** Tests whether a browser can be isolated from this host, by starting an empty box. */
export async function checkBoxSupport(): Promise<BoxSupport> {
  if (Deno.build.os !== "linux") {
    const name = Deno.build.os === "darwin" ? "macOS" : Deno.build.os;
    return {
      problem:
        `sessions of local browsers can be isolated on Linux, not on ${name}`,
    };
  }
  try {
    const programs = await findBoxPrograms(isRoot());
    const problem = await startTrialBox(programs);
    return problem === undefined ? { programs } : { problem };
  } catch (error) {
    return { problem: toMessage(error) };
  }
}

async function startTrialBox(
  { bwrap, setpriv }: BoxPrograms,
): Promise<string | undefined> {
  const userId = isRoot() ? await pickUserId() : undefined;
  const [program = bwrap, ...args] = [
    ...renderUserSwitch(setpriv, userId),
    ...[bwrap, "--unshare-user", "--unshare-net", "--unshare-pid"],
    ...["--dev-bind", "/", "/", "--proc", "/proc", "--"],
    ...[bwrap, "--unshare-user", "--unshare-pid", "--ro-bind", "/usr", "/usr"],
    ...["--symlink", "usr/lib64", "/lib64", "--symlink", "usr/lib", "/lib"],
    ...["--symlink", "usr/bin", "/bin", "--proc", "/proc", "--", "/bin/true"],
  ];
  const { success, stderr } = await new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "null",
    clearEnv: true,
    env: createChildEnvironment(),
    cwd: "/",
    signal: AbortSignal.timeout(TRIAL_MS),
  }).output();
  if (success) return undefined;
  const output = new TextDecoder().decode(stderr).trim().slice(0, 500);
  const advice = ADVICE.find(([pattern]) => pattern.test(output))?.[1];
  const problem = output === "" ? "bubblewrap failed" : output;
  return advice === undefined ? problem : `${problem}; ${advice}`;
}
