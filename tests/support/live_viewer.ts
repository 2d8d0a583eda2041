import { once } from "node:events";
import { WebSocket } from "ws";
import {
  LIVE_PROTOCOL,
  type LiveMessage,
  TOKEN_PROTOCOL,
} from "../../src/apps/live/schemas/live_messages.ts";
import { within } from "./within.ts";

type Of<T extends LiveMessage["type"]> = Extract<LiveMessage, { type: T }>;

/** A viewer of the live view, by hand. It acknowledges pictures. Disposal disconnects it. */
export interface LiveViewer extends AsyncDisposable {
  /** Sequence numbers of the pictures so far. */
  readonly pictures: readonly number[];
  /** Messages so far. */
  readonly messages: readonly LiveMessage[];
  readonly closed: Promise<void>;
  send(message: object): void;
  sendBytes(bytes: Uint8Array): void;
  /** Returns the first message of a type that matches, among those so far and the next ones. */
  find<T extends LiveMessage["type"]>(
    type: T,
    matches?: (message: Of<T>) => boolean,
  ): Promise<Of<T>>;
  /** Resolves when there are `count` pictures. */
  shows(count: number): Promise<void>;
  /** Presses and releases the left button. */
  click(x: number, y: number): void;
}

/** Rights of a viewer: a link's token, or headers with a key. */
export interface ViewerOptions {
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Opens a live view at a WebSocket URL. @throws {Error} If it is rejected, with status and body. */
export async function openLiveViewer(
  url: string,
  { token, headers = {} }: ViewerOptions = {},
): Promise<LiveViewer> {
  const socket = new WebSocket(
    url,
    token === undefined
      ? [LIVE_PROTOCOL]
      : [LIVE_PROTOCOL, `${TOKEN_PROTOCOL}${token}`],
    { headers },
  );
  const messages: LiveMessage[] = [];
  const pictures: number[] = [];
  let wake = Promise.withResolvers<void>();
  const send = (message: object) => socket.send(JSON.stringify(message));
  socket.on("message", (data: Uint8Array, isBinary) => {
    if (isBinary) {
      const seq = new DataView(data.buffer, data.byteOffset).getUint32(1);
      pictures.push(seq);
      send({ type: "ack", seq });
    } else messages.push(JSON.parse(String(data)));
    wake.resolve();
    wake = Promise.withResolvers();
  });
  const closed = once(socket, "close").then(() => {});
  await opened(socket);
  async function until(isMet: () => boolean, what: string): Promise<void> {
    const met = (async () => {
      while (!isMet()) await wake.promise;
    })();
    await within(met, { what, ms: 20_000 }).catch((error: unknown) => {
      throw new Error(`No ${what} among ${JSON.stringify(messages)}`, {
        cause: error,
      });
    });
  }
  return {
    pictures,
    messages,
    closed,
    send,
    sendBytes: (bytes) => socket.send(bytes),
    async find<T extends LiveMessage["type"]>(
      type: T,
      matches: (message: Of<T>) => boolean = () => true,
    ) {
      let found: Of<T> | undefined;
      await until(() => {
        found = messages.findLast((each): each is Of<T> =>
          hasType(each, type) && matches(each)
        );
        return found !== undefined;
      }, `message "${type}"`);
      if (!found) throw new Error("unreachable");
      return found;
    },
    shows: (count) => until(() => pictures.length >= count, "picture"),
    click(x, y) {
      const at = { type: "mouse", x, y };
      send({ ...at, action: "move", button: "none", buttons: 0 });
      const left = { ...at, button: "left", click_count: 1 };
      send({ ...left, action: "down", buttons: 1 });
      send({ ...left, action: "up", buttons: 0 });
    },
    async [Symbol.asyncDispose]() {
      socket.close();
      await closed;
    },
  };
}

function hasType<T extends LiveMessage["type"]>(
  message: LiveMessage,
  type: T,
): message is Of<T> {
  return message.type === type;
}

async function opened(socket: WebSocket): Promise<void> {
  const rejected = new Promise<never>((_, reject) =>
    socket.once("unexpected-response", async (_request, response) => {
      const chunks = await Array.fromAsync(response);
      reject(
        new Error(`${response.statusCode} ${chunks.map(String).join("")}`),
      );
    })
  );
  await Promise.race([once(socket, "open"), rejected]);
}
