import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/**
 * A wire between a worker and its server that can be cut.
 *
 * It copies bytes both ways. Disposal ends every connection.
 */
export interface Link extends AsyncDisposable {
  /** URL of the server for the worker. */
  readonly url: string;
  /** Drops all data in both directions silently, like a network that drops packets. */
  hang(): void;
  /** Connections are refused and those that are open are reset: as if the server's process were gone. */
  refuse(): Promise<void>;
  /** Goes on. What waited in a connection that hung is delivered late, as TCP would. */
  restore(): Promise<void>;
  /**
   * Withholds the next answer 200 to a request whose first line has `path`, and resets its connection.
   *
   * Resolves when that has come about: the server has done what was asked, and the worker does not know.
   */
  loseAnswer(path: string): Promise<void>;
}

interface Wire {
  readonly near: Socket;
  readonly far: Socket;
  /** The last request on it, as far as the first packet shows it. */
  request: string;
}

interface Loss {
  readonly path: string;
  readonly done: () => void;
}

/** Lays a wire to the server at `target`. */
export async function layLink(target: string): Promise<Link> {
  const { hostname, port } = new URL(target);
  const wires = new Set<Wire>();
  let isHanging = false;
  let loss: Loss | undefined;
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    const wire: Wire = { near, far, request: "" };
    wires.add(wire);
    const end = () => {
      near.destroy();
      far.destroy();
      wires.delete(wire);
    };
    for (const socket of [near, far]) {
      socket.setNoDelay();
      socket.on("error", end).on("close", end);
      if (isHanging) socket.pause();
    }
    near.on("data", (chunk) => {
      const text = chunk.toString("latin1");
      if (/^[A-Z]+ \//.test(text)) wire.request = text.split("\r\n")[0] ?? "";
      far.write(chunk);
    });
    far.on("data", (chunk) => {
      if (isLost(wire, chunk.toString("latin1"))) {
        loss?.done();
        loss = undefined;
        near.resetAndDestroy();
        far.destroy();
      } else near.write(chunk);
    });
  });
  const sockets = () => [...wires].flatMap(({ near, far }) => [near, far]);
  const isLost = ({ request }: Wire, answer: string) =>
    loss !== undefined && request.includes(loss.path) &&
    answer.startsWith("HTTP/1.1 200");
  const listen = async (at: number) => {
    server.listen(at, "127.0.0.1");
    await once(server, "listening");
  };
  await listen(0);
  const { port: own } = readAddress(server.address());
  const cut = async () => {
    const closed = server.listening ? once(server, "close") : undefined;
    server.close();
    for (const socket of sockets()) socket.resetAndDestroy();
    await closed;
  };
  return {
    url: `http://127.0.0.1:${own}`,
    hang() {
      isHanging = true;
      for (const socket of sockets()) socket.pause();
    },
    refuse: cut,
    async restore() {
      isHanging = false;
      for (const socket of sockets()) socket.resume();
      if (!server.listening) await listen(own);
    },
    loseAnswer: (path) =>
      new Promise((resolve) => loss = { path, done: resolve }),
    [Symbol.asyncDispose]: cut,
  };
}

function readAddress(address: AddressInfo | string | null): AddressInfo {
  if (address === null || typeof address === "string") {
    throw new TypeError("Expected a TCP address");
  }
  return address;
}
