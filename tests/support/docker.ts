import Docker from "dockerode";
import { systemClock } from "../../src/async/clock.ts";
import type { BrowserHost } from "../../src/core/provider.ts";
import { DEFAULT_IMAGE } from "../../src/providers/docker/config.ts";
import { docker as dockerProvider } from "../../src/providers/docker/provider.ts";

/** Image that tests of the docker provider start. */
export const TEST_IMAGE = DEFAULT_IMAGE;

/** A client of the engine beside the provider, to see what the provider really did. */
export const docker: Docker = new Docker();

/** Why tests with a real engine cannot run here; undefined if they can. */
export const dockerMissing: string | undefined = await reason();

async function reason(): Promise<string | undefined> {
  try {
    await docker.ping();
  } catch {
    return "no Docker engine answers";
  }
  try {
    await docker.getImage(TEST_IMAGE).inspect();
  } catch {
    return `the engine has no image ${TEST_IMAGE}; run "browsergrid docker build-image"`;
  }
}

/** A test that needs a Docker engine with the project's image. Without them it is skipped and tells why. */
export function dockerTest(name: string, fn: () => Promise<void>): void {
  if (dockerMissing !== undefined) {
    // deno-lint-ignore no-console -- the reason of a skipped test is its result
    console.log(`skipped: ${name}: ${dockerMissing}`);
  }
  Deno.test({ name, fn, ignore: dockerMissing !== undefined });
}

/** Containers that a worker of a grid left, in any state. */
export async function listContainers(gridId: string): Promise<string[]> {
  const found = await docker.listContainers({
    all: true,
    filters: { label: [`browsergrid.grid_id=${gridId}`] },
  });
  return found.map(({ Id }) => Id);
}

/** An opened docker provider of a grid of its own. Disposal also removes what it left. */
export interface TestDockerHost extends AsyncDisposable {
  readonly host: BrowserHost;
  readonly gridId: string;
}

/** Opens the docker provider with the project's image, which is never pulled. */
export async function testDockerHost(
  config: Readonly<Record<string, unknown>> = {},
  { gridId = crypto.randomUUID(), workerId = "worker-1" }: {
    readonly gridId?: string;
    readonly workerId?: string;
  } = {},
): Promise<TestDockerHost> {
  const host = await dockerProvider.open(
    dockerProvider.configSchema.parse({ pull: "never", ...config }),
    { gridId, workerId, dataDir: "" },
  );
  return {
    host,
    gridId,
    async [Symbol.asyncDispose]() {
      await host.sweep(new Set());
      await host[Symbol.asyncDispose]();
    },
  };
}

/** Runs a command in a container, as root, and returns its exit code. */
export function runInContainer(
  id: string,
  ...command: string[]
): Promise<number | null> {
  return runAs("root", id, command);
}

async function runAs(
  user: string,
  id: string,
  command: string[],
): Promise<number | null> {
  const exec = await docker.getContainer(id).exec({
    Cmd: command,
    User: user,
    AttachStdout: true,
  });
  const output = await exec.start({});
  output.resume();
  await new Promise((done) => output.on("close", done));
  return (await exec.inspect()).ExitCode;
}

/**
 * Sends a signal to all Chromium processes of a type in a container. `$1` and `$2` keep the script from matching
 * itself.
 */
const SIGNAL_ALL = `found=1
for process in /proc/[0-9]*; do
  tr "\\0" " " <"$process/cmdline" 2>/dev/null | grep -q -- "--type=$1 " || continue
  kill "-$2" "\${process#/proc/}" && found=0
done
exit "$found"`;

/** Sends a signal to the browser's processes of a type, such as "zygote". @throws {Error} If there is none. */
export async function signalInContainer(
  id: string,
  type: string,
  signal: "STOP" | "CONT" | "KILL",
): Promise<void> {
  // Root in a container may not signal the browser's user.
  const command = ["sh", "-c", SIGNAL_ALL, "sh", type, signal];
  const code = await runAs("browser", id, command);
  if (code !== 0) throw new Error(`No ${type} was sent ${signal}: ${code}`);
}

/** Opens `page` in the browser behind `endpoint` and returns the value of a JavaScript expression there. */
export async function evaluate(
  endpoint: URL,
  page: string,
  expression: string,
): Promise<unknown> {
  const opened = await fetch(`http://${endpoint.host}/json/new?${page}`, {
    method: "PUT",
  });
  const { webSocketDebuggerUrl } = await opened.json();
  let client = await connectCdp(webSocketDebuggerUrl);
  // Asked again and again: the answer to a question during a navigation is lost.
  for (let attempt = 0; attempt < 500; attempt++) {
    const answer = await client.ask("Runtime.evaluate", {
      expression:
        `document.readyState === "complete" && location.href !== "about:blank" ? { value: ${expression} } : undefined`,
      returnByValue: true,
    });
    if (answer === undefined) client = await connectCdp(webSocketDebuggerUrl);
    if (answer?.result?.value) {
      await client.close();
      return answer.result.value.value;
    }
    await systemClock.sleep(20);
  }
  throw new Error(`${page} was not loaded within 10 s`);
}

/** The part of CDP's response to `Runtime.evaluate` that tests read. */
interface Evaluated {
  readonly result?: { readonly value?: { readonly value: unknown } };
}

/** A CDP client that asks one question at a time. */
interface CdpClient {
  ask(method: string, params: object): Promise<Evaluated | undefined>;
  close(): Promise<void>;
}

async function connectCdp(url: string): Promise<CdpClient> {
  const socket = new WebSocket(url);
  const next = (type: "open" | "message" | "close") =>
    new Promise<Event>((done) =>
      socket.addEventListener(type, done, { once: true })
    );
  await next("open");
  return {
    async ask(method, params) {
      const answer = Promise.race([next("message"), next("close")]);
      socket.send(JSON.stringify({ id: 1, method, params }));
      const event = await answer;
      return event instanceof MessageEvent
        ? JSON.parse(event.data).result
        : undefined;
    },
    async close() {
      const closed = next("close");
      socket.close();
      await closed;
    },
  };
}
