import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { systemClock } from "../../src/async/clock.ts";

/** First words of a request on a connection. */
const REQUEST_LINE = /^([A-Z]+ \S+) HTTP\/1\.1\r\n/;

/** A server behind a link that can fail. Disposal ends every connection. */
export interface FaultyLink extends AsyncDisposable {
  /** Breaks every connection and refuses new ones, as an engine that has ended does. */
  cut(): Promise<void>;
  /** Takes connections and passes nothing on, as an engine that hangs does. */
  stall(): void;
  /** Passes everything on so much later. */
  slow(ms: number): void;
  /** Works again; what was held back is passed on. */
  mend(): Promise<void>;
  /** First lines of the requests since it was last emptied, `GET /_ping`. */
  readonly requests: string[];
  /** Lets the next request that begins so reach the engine, and resolves when the engine has answered it. The answer is lost. */
  answerLost(request: RegExp): Promise<void>;
}

interface Link {
  readonly client: Socket;
  readonly engine: Socket;
  /** Resolves when both ends are closed and nothing is copied any more. */
  readonly done: Promise<unknown>;
}

/** Path of a unix socket, or port on loopback. */
export type LinkAddress =
  | { readonly path: string }
  | { readonly port: number; readonly host: string };

/** Starts a link that listens on one address and connects to another. */
export async function startFaultyLink(
  { listenOn, target }: {
    readonly listenOn: LinkAddress;
    readonly target: LinkAddress;
  },
): Promise<FaultyLink> {
  const links = new Set<Link>();
  const requests: string[] = [];
  let server: Server | undefined;
  let delayMs = 0;
  let isStalled = false;
  let flowing = Promise.withResolvers<void>();
  let losing: { request: RegExp; reached: () => void } | undefined;
  flowing.resolve();

  function accept(client: Socket): void {
    const engine = connect(target);
    let isLost: (() => void) | undefined;
    function lookAtRequest(chunk: Uint8Array): void {
      const head = new TextDecoder().decode(chunk.subarray(0, 2_000));
      const [, line] = REQUEST_LINE.exec(head) ?? [];
      if (line === undefined) return;
      requests.push(line);
      if (!losing?.request.test(line)) return;
      isLost = losing.reached;
      losing = undefined;
    }
    function lookAtAnswer(): boolean {
      isLost?.();
      return isLost !== undefined;
    }
    const done = Promise.all([
      closed(client),
      closed(engine),
      pass(client, engine, lookAtRequest),
      pass(engine, client, lookAtAnswer),
    ]);
    const link = { client, engine, done };
    links.add(link);
    void done.then(() => links.delete(link));
  }

  /** Copies until either end closes, then closes the other; a chunk that `look` answers true for is swallowed. */
  async function pass(
    from: Socket,
    to: Socket,
    look: (chunk: Uint8Array) => boolean | void,
  ): Promise<void> {
    try {
      for await (const chunk of from) {
        if (look(chunk)) continue;
        if (delayMs > 0) await systemClock.sleep(delayMs);
        await flowing.promise;
        if (!to.destroyed && !to.write(chunk)) await once(to, "drain");
      }
    } catch {
      // Broken, which is an end as well.
    }
    to.destroySoon();
  }

  async function listen(): Promise<void> {
    server = createServer(accept);
    server.listen(listenOn);
    await once(server, "listening");
  }

  function flow(): void {
    isStalled = false;
    flowing.resolve();
  }

  async function cut(): Promise<void> {
    const ended = server && once(server, "close");
    server?.close();
    server = undefined;
    for (const { client, engine } of links) {
      client.destroy();
      engine.destroy();
    }
    flow();
    await ended;
    await Promise.all([...links].map(({ done }) => done));
  }

  await listen();
  return {
    requests,
    cut,
    stall() {
      if (isStalled) return;
      isStalled = true;
      flowing = Promise.withResolvers();
    },
    slow(ms) {
      delayMs = ms;
    },
    async mend() {
      delayMs = 0;
      flow();
      if (!server) await listen();
    },
    answerLost(request) {
      return new Promise((reached) => losing = { request, reached });
    },
    async [Symbol.asyncDispose]() {
      await cut();
    },
  };
}

/** Resolves when a socket is closed, well or badly. */
function closed(socket: Socket): Promise<void> {
  socket.on("error", () => {});
  return new Promise((resolve) => socket.once("close", () => resolve()));
}
