/** A server of releases on loopback, and a machine on which `install.sh` runs. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { ROOT } from "../support/doc_snippets.ts";

/** Path of the script. */
export const SCRIPT: string = join(ROOT, "deploy/install.sh");

/** Programs that the script needs, without those that download. */
const PROGRAMS = [
  ...[
    "awk",
    "cat",
    "chmod",
    "find",
    "grep",
    "gzip",
    "ls",
    "mkdir",
    "mktemp",
    "mv",
  ],
  ...["rm", "sed", "sh", "sha256sum", "tail", "tar", "uname"],
];

/** Result of a program. */
export interface Result {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

/** Runs a program to its end, with these variables and no others. @param input Its standard input. */
export async function run(
  command: readonly [string, ...string[]],
  env: Readonly<Record<string, string>> = {},
  input = "",
): Promise<Result> {
  const [path, ...args] = command;
  const child = new Deno.Command(path, {
    args,
    env,
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  // A program that ends early leaves the rest unread.
  void writer.write(new TextEncoder().encode(input)).then(() => writer.close())
    .catch(() => {});
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), error: decoder.decode(stderr) };
}

/** A server of releases. */
export interface ReleaseServer extends AsyncDisposable {
  /** Address of the releases, as in BROWSERGRID_BASE_URL. */
  readonly url: string;
  /** Paths of the requests. */
  readonly requests: string[];
  /** Responses by path. */
  readonly files: Map<string, () => Response>;
  /** Publishes a release with a program of this file, or of these lines of sh, for Linux on x64. */
  publish(place: string, program: Uint8Array<ArrayBuffer>): Promise<void>;
}

/** Starts the server. */
export function startReleaseServer(): ReleaseServer {
  const files = new Map<string, () => Response>();
  const requests: string[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      const { pathname } = new URL(request.url);
      requests.push(pathname);
      return files.get(pathname.slice(1))?.() ??
        new Response("Not found", { status: 404 });
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    requests,
    files,
    async publish(place, program) {
      const archive = await pack(program);
      const name = "browsergrid-linux-x64.tar.gz";
      const hash = createHash("sha256").update(archive).digest("hex");
      files.set(`${place}/${name}`, () => new Response(archive));
      files.set(
        `${place}/SHA256SUMS`,
        () =>
          new Response(`${"0".repeat(64)}  other-${name}\n${hash}  ${name}\n`),
      );
    },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** Returns an archive with the program. */
async function pack(
  program: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const folder = await Deno.makeTempDir({ prefix: "browsergrid-pack-" });
  try {
    await Deno.writeFile(join(folder, "browsergrid"), program);
    const { stdout } = await new Deno.Command("tar", {
      args: ["-czf", "-", "-C", folder, "browsergrid"],
    }).output();
    return stdout;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Returns a program in sh that prints a version. */
export function printsVersion(version: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`#!/bin/sh\necho ${version}\n`);
}

/** A machine with few programs. */
export interface Machine extends AsyncDisposable {
  readonly home: string;
  /** Variables of its processes. */
  readonly env: Readonly<Record<"PATH" | "HOME", string>>;
  /** Replaces a program by lines of sh. */
  replace(name: string, lines: string): Promise<void>;
  /** Runs the script. */
  install(...args: readonly string[]): Promise<Result>;
  /** Returns the paths of all files below its home. */
  list(): Promise<readonly string[]>;
}

/** Creates a machine on which one program downloads. */
export async function createMachine(
  { url }: Pick<ReleaseServer, "url">,
  downloader: "curl" | "wget",
): Promise<Machine> {
  const home = await Deno.makeTempDir({ prefix: "browsergrid-install-" });
  const bin = await Deno.makeTempDir({ prefix: "browsergrid-bin-" });
  for (const name of [...PROGRAMS, downloader]) {
    const path = ["/usr/bin", "/bin"].map((folder) => join(folder, name));
    const found = path.find((each) => canRead(each));
    if (found !== undefined) await Deno.symlink(found, join(bin, name));
  }
  const env = { PATH: bin, HOME: home, BROWSERGRID_BASE_URL: url };
  return {
    home,
    env,
    async replace(name, lines) {
      await Deno.remove(join(bin, name)).catch(() => {});
      await Deno.writeTextFile(join(bin, name), `#!/bin/sh\n${lines}\n`, {
        mode: 0o755,
      });
    },
    install: (...args) => run(["/bin/sh", SCRIPT, ...args], env),
    list: () => listFiles(home),
    async [Symbol.asyncDispose]() {
      for (const each of [home, bin]) {
        await Deno.remove(each, { recursive: true });
      }
    },
  };
}

function canRead(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

async function listFiles(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) found.push(...await listFiles(path));
    else found.push(path);
  }
  return found;
}
