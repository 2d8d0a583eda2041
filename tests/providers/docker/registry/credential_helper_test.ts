import assert from "node:assert/strict";
import { join } from "node:path";
import { runCredentialHelper } from "../../../../src/providers/docker/registry/credential_helper.ts";
import { eventually } from "../../../support/eventually.ts";
import { temporaryFolder } from "../../../support/temporary_folder.ts";

/** Runs a script as the helper `test`. */
async function runHelper(
  script: string,
  options: Partial<Parameters<typeof runCredentialHelper>[2]> = {},
): Promise<Awaited<ReturnType<typeof runCredentialHelper>>> {
  await using folder = await temporaryFolder();
  const path = Deno.env.get("PATH") ?? "";
  const file = join(folder.path, "docker-credential-test");
  await Deno.writeTextFile(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  Deno.env.set("PATH", `${folder.path}:${path}`);
  try {
    const signal = new AbortController().signal;
    return await runCredentialHelper("test", "r.example", {
      signal,
      ...options,
    });
  } finally {
    Deno.env.set("PATH", path);
  }
}

/** Resolves when a process has ended, possibly without being reaped. */
async function untilEnded(pid: string): Promise<void> {
  await eventually("the helper's process has ended", async () => {
    const stat = await Deno.readTextFile(`/proc/${pid}/stat`)
      .catch(() => ") Z");
    return / Z/.test(stat.slice(stat.lastIndexOf(")")));
  });
}

Deno.test("a helper that does not end in time is killed, with the processes that it has started", async () => {
  const pidFile = await Deno.makeTempFile();
  try {
    await assert.rejects(
      runHelper(`sleep 60 & echo $! >${pidFile}; wait`, { timeoutMs: 500 }),
      /^Error: Cannot run credential helper "docker-credential-test" for "r\.example": it did not end in 0\.5 s$/,
    );
    await untilEnded((await Deno.readTextFile(pidFile)).trim());
  } finally {
    await Deno.remove(pidFile);
  }
});

Deno.test("a helper is killed when its signal is aborted", async () => {
  await using folder = await temporaryFolder();
  const pidFile = join(folder.path, "pid");
  const abort = new AbortController();
  const rejected = assert.rejects(
    runHelper(`echo $$ >${pidFile}; exec sleep 60`, { signal: abort.signal }),
    /no longer wanted/,
  );
  const pid = await eventually("the helper runs", async () => {
    return (await Deno.readTextFile(pidFile)).trim() || undefined;
  });
  abort.abort(new Error("no longer wanted"));
  await rejected;
  await untilEnded(pid);
});

Deno.test("a helper does not receive the grid's variables", async () => {
  Deno.env.set("BROWSERGRID_TEST_SECRET", "planted");
  try {
    const found = await runHelper(
      `printf '{"Username":"u","Secret":"[%s]"}' "$BROWSERGRID_TEST_SECRET"`,
    );
    assert.deepEqual(found, { Username: "u", Secret: "[]" });
  } finally {
    Deno.env.delete("BROWSERGRID_TEST_SECRET");
  }
});
