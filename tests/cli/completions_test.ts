import assert from "node:assert/strict";
import { cli } from "../support/cli.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;

/** Words up to the cursor, after the program's name, and what must and must not be offered. */
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
  // The value of an option is none of the words that lead to a command.
  {
    typed: ["session", "create", "--pool", "serve", "--br"],
    offers: ["--browser"],
  },
];

/** How each shell is asked what it offers, one word a line, without a terminal. */
const ASK: Record<
  (typeof SHELLS)[number],
  (script: string, typed: readonly string[]) => string
> = {
  bash: (script, typed) =>
    `source ${script}
COMP_WORDS=(browsergrid ${words(typed)}); COMP_CWORD=${typed.length}
_browsergrid; printf '%s\\n' "\${COMPREPLY[@]}"`,
  // The functions of its line editor do nothing without it: these print what they are given.
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

/** Why `shell` cannot be asked here, if it cannot. */
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

async function ask(shell: string, text: string): Promise<readonly string[]> {
  const { stdout, stderr } = await new Deno.Command(shell, {
    args: ["-c", text],
  }).output();
  assert.equal(new TextDecoder().decode(stderr), "");
  return new TextDecoder().decode(stdout).split("\n").filter(Boolean);
}

Deno.test("completions name every command, and none that is not there", async () => {
  const scripts = await Promise.all(
    SHELLS.map(async (shell) => (await cli("completions", shell)).out),
  );
  for (const script of scripts) {
    for (const word of ["start-worker", "dbshell", "build-image"]) {
      assert.ok(script.includes(word), word);
    }
  }
});
