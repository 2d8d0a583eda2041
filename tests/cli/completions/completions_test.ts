import assert from "node:assert/strict";
import { join } from "node:path";
import { cli } from "../../support/cli.ts";
import { testGrid } from "../../support/grid.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;

/** Words up to the cursor, without the program's name, and the words that must and must not be offered. */
const CASES: readonly {
  readonly typed: readonly string[];
  readonly offers: readonly string[];
  readonly not?: readonly string[];
}[] = [
  { typed: ["se"], offers: ["serve", "session", "settings"] },
  { typed: ["pool", ""], offers: ["create", "deploy-command"], not: ["serve"] },
  { typed: ["pool", "create", ""], offers: ["local", "docker"] },
  { typed: ["pool", "create", "docker", "--im"], offers: ["--image"] },
  { typed: ["pool", "create", "local", "--im"], offers: [], not: ["--image"] },
  {
    typed: ["pool", "create", "docker", "--pull", ""],
    offers: ["missing", "always", "never"],
    not: ["--image"],
  },
  {
    typed: ["session", "list", "--status", "t"],
    offers: ["timed_out", "terminated"],
    not: ["running"],
  },
  { typed: ["runserver", "--with-worker", ""], offers: ["local", "docker"] },
  { typed: ["check", "--provider", "do"], offers: ["docker"] },
  { typed: ["completions", ""], offers: [...SHELLS] },
  { typed: ["pool", "list", "--api-url", ""], offers: [], not: ["--json"] },
  // The value of an option does not select a command.
  {
    typed: ["session", "create", "--pool", "serve", "--br"],
    offers: ["--browser"],
  },
];

/** Scripts that print the words that a shell offers, one per line, without a terminal. */
const ASK: Record<
  (typeof SHELLS)[number],
  (script: string, typed: readonly string[]) => string
> = {
  bash: (script, typed) =>
    `source ${script}
COMP_WORDS=(browsergrid ${words(typed)}); COMP_CWORD=${typed.length}
_browsergrid; printf '%s\\n' "\${COMPREPLY[@]}"`,
  // The functions of its line editor do nothing without a terminal: these print their arguments.
  zsh: (script, typed) =>
    `compdef() { : }
source ${script}
offer() { local each; for each in "$@"; do [[ $each == "$typed"* ]] && print -r -- "$each"; done }
compadd() { shift; offer "$@" }
_describe() { local list=\${@[-1]}; offer "\${(@)\${(@P)list}%%:*}" }
_files() { : }
words=(browsergrid ${words(typed)}); CURRENT=${typed.length + 1}
typed=\${words[CURRENT]}
_browsergrid`,
  fish: (script, typed) =>
    `source ${script}
complete -C 'browsergrid ${typed.join(" ")}' | string replace -r '\\t.*' ''`,
};

function words(typed: readonly string[]): string {
  return typed.map((word) => `"${word}"`).join(" ");
}

/** Returns why `shell` cannot run here; undefined if it can. */
async function absence(shell: string): Promise<string | undefined> {
  try {
    await new Deno.Command(shell, { args: ["-c", ""] }).output();
    return undefined;
  } catch {
    return `${shell} is not installed`;
  }
}

for (const shell of SHELLS) {
  const reason = await absence(shell);
  if (reason) {
    // deno-lint-ignore no-console -- the reason of a skipped test is its result
    console.log(`skipped: completions in ${shell}: ${reason}`);
  }
  Deno.test({
    name:
      `completions in ${shell} offer commands, options and known values, and nothing else`,
    ignore: reason !== undefined,
    fn: async () => {
      const script = await Deno.makeTempFile({ suffix: `.${shell}` });
      try {
        const { out } = await cli("completions", shell);
        await Deno.writeTextFile(script, out);
        for (const { typed, offers, not = [] } of CASES) {
          const offered = await ask(shell, ASK[shell](script, typed));
          const line = typed.join(" ");
          for (const word of offers) {
            assert.ok(offered.includes(word), `${line}: ${word} in ${offered}`);
          }
          for (const word of not) {
            assert.ok(
              !offered.includes(word),
              `${line}: ${word} in ${offered}`,
            );
          }
        }
      } finally {
        await Deno.remove(script);
      }
    },
  });
}

/** A stand-in for the program, whose server knows one record of each kind. */
const STAND_IN = `#!/bin/sh
[ "$1" = __complete ] && printf '%s-1\\n%s-2\\n' "$2" "$2"
`;

/** Command lines, and the kind of record whose ids they offer. */
const NAMED: readonly (readonly [typed: readonly string[], named: string])[] = [
  [["session", "get", ""], "sessions"],
  [["session", "stop", "sessions-1", ""], "sessions"],
  [["session", "create", "--pool", ""], "pools"],
  [["pool", "delete", ""], "pools"],
  [["worker", "--work-pool-id", ""], "pools"],
  [["worker", "drain", ""], "workers"],
  [["key", "revoke", ""], "keys"],
  [["webhook", "test", ""], "webhooks"],
];

for (const shell of SHELLS) {
  Deno.test({
    name: `completions in ${shell} offer the ids that the server knows`,
    ignore: await absence(shell) !== undefined,
    fn: async () => {
      const folder = await Deno.makeTempDir({ prefix: "browsergrid-test-" });
      const program = join(folder, "browsergrid");
      await Deno.writeTextFile(program, STAND_IN, { mode: 0o755 });
      const script = join(folder, "script");
      await Deno.writeTextFile(script, (await cli("completions", shell)).out);
      const PATH = `${folder}:${Deno.env.get("PATH")}`;
      for (const [typed, named] of NAMED) {
        const offered = await ask(shell, ASK[shell](script, typed), { PATH });
        for (const id of [`${named}-1`, `${named}-2`]) {
          assert.ok(offered.includes(id), `${typed.join(" ")}: ${offered}`);
        }
      }
      await Deno.remove(folder, { recursive: true });
    },
  });
}

Deno.test("the completion command prints ids and names, one per line, and nothing without a server", async () => {
  await using grid = await testGrid({ listen: true });
  const at = ["--api-url", grid.url, "--json"];
  const pool = await cli("pool", "create", "local", "--name", "here", ...at);
  const session = await cli("session", "create", ...at);
  const idIn = ({ out }: { readonly out: string }) => JSON.parse(out).id;
  const asked = async (kind: string, url: string) => {
    Deno.env.set("BROWSERGRID_API_URL", url);
    try {
      return await cli("__complete", kind);
    } finally {
      Deno.env.delete("BROWSERGRID_API_URL");
    }
  };
  const readLines = async (kind: string) =>
    (await asked(kind, grid.url)).out.split("\n");
  assert.deepEqual(await readLines("pools"), ["here", idIn(pool)]);
  assert.deepEqual(await readLines("sessions"), [idIn(session)]);
  assert.deepEqual(await readLines("workers"), [""]);
  assert.deepEqual(await readLines("other"), [""]);
  const none = await asked("pools", "http://127.0.0.1:1");
  assert.deepEqual(none, { code: 0, out: "", err: "" });
});

async function ask(
  shell: string,
  text: string,
  env: Readonly<Record<string, string>> = {},
): Promise<readonly string[]> {
  const { stdout, stderr } = await new Deno.Command(shell, {
    args: ["-c", text],
    env,
  }).output();
  assert.equal(new TextDecoder().decode(stderr), "");
  return new TextDecoder().decode(stdout).split("\n").filter(Boolean);
}

Deno.test("completions name commands of every level", async () => {
  const scripts = await Promise.all(
    SHELLS.map(async (shell) => (await cli("completions", shell)).out),
  );
  for (const script of scripts) {
    for (const word of ["start-worker", "dbshell", "build-image"]) {
      assert.ok(script.includes(word), word);
    }
  }
});
