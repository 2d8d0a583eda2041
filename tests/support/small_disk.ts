/**
 * Mounts, and unmounts when its input ends: also when the test that started it is killed. Lazily, because the database's
 * files are closed when they are collected as garbage.
 */
const SCRIPT = `trap '' INT TERM
if mount -t tmpfs -o size=$2 tmpfs "$1"; then
  echo mounted
  cat > /dev/null
  umount --lazy "$1"
fi
rmdir "$1"`;

/** A disk of its own, in memory, that can be full. Needs root. */
export interface SmallDisk extends AsyncDisposable {
  /** Its folder. */
  readonly path: string;
  /** Writes a file until there is no room for another byte. */
  fill(): Promise<void>;
  /** Removes that file. */
  free(): Promise<void>;
}

/**
 * @param size As `mount` takes it.
 * @throws {Error} With the system's words, if it cannot be mounted.
 */
export async function mountSmallDisk(size = "8m"): Promise<SmallDisk> {
  const path = await Deno.makeTempDir({ prefix: "browsergrid-disk-" });
  const child = new Deno.Command("sh", {
    args: ["-c", SCRIPT, "sh", path, size],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const errors = new Response(child.stderr).text();
  const output = child.stdout.getReader();
  const { done } = await output.read();
  async function unmount(): Promise<void> {
    await child.stdin.close().catch(() => {});
    await child.status;
    await output.cancel();
    await errors;
  }
  if (done) {
    await unmount();
    throw new Error(await errors);
  }
  const filler = `${path}/filler`;
  return {
    path,
    fill: () => fill(filler),
    free: () => Deno.remove(filler),
    [Symbol.asyncDispose]: unmount,
  };
}

/** A test that needs a disk of its own. Where it cannot be mounted it is skipped and tells why. */
export async function diskTest(
  name: string,
  fn: () => Promise<void>,
): Promise<void> {
  const missing = await reason();
  if (missing !== undefined) {
    // deno-lint-ignore no-console -- the reason of a skipped test is its result
    console.log(`skipped: ${name}: ${missing}`);
  }
  Deno.test({ name, fn, ignore: missing !== undefined });
}

async function reason(): Promise<string | undefined> {
  try {
    await using _disk = await mountSmallDisk();
  } catch (error) {
    return `no disk can be mounted: ${error}`;
  }
}

async function fill(path: string): Promise<void> {
  using file = await Deno.open(path, { create: true, write: true });
  const chunk = new Uint8Array(4_096);
  try {
    for (;;) await file.write(chunk);
  } catch {
    // No space left.
  }
}
