/**
 * Answers of the engine that are read as they come.
 *
 * The client library never settles a request whose connection breaks in the midst of the answer, and takes a stream
 * that breaks for one that has ended. Both are noticed here.
 *
 * @module
 */
import { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { addAbortSignal } from "node:stream";
import type { Engine } from "./engine.ts";

/** A request without a body. */
export interface EngineRequest {
  /** @default {"GET"} */
  readonly method?: "GET" | "POST";
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly abortSignal: AbortSignal;
}

/** The part of the client library that makes requests. */
export type Modem = Engine["docker"]["modem"];

/** Makes a request and resolves with the beginning of its answer. Reading on fails when the connection breaks. */
export function openEngineResponse(
  modem: Modem,
  { method = "GET", path, query = {}, abortSignal }: EngineRequest,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) =>
    modem.dial({
      method,
      path: `${path}?`,
      options: { _query: query, _body: {} },
      abortSignal,
      isStream: true,
      statusCodes: { 200: true },
    }, (error, answer) => {
      if (!(answer instanceof IncomingMessage)) return reject(error);
      resolve(addAbortSignal(abortSignal, answer));
    })
  );
}

/** Makes a request and reads its whole answer. Resolves when the connection is closed as well. */
export async function readEngineResponse(
  modem: Modem,
  request: EngineRequest,
): Promise<string> {
  const answer = await openEngineResponse(modem, request);
  let text = "";
  for await (const chunk of decodeText(answer)) text += chunk;
  await waitUntilClosed(answer.socket);
  return text;
}

/**
 * Resolves when a socket that is being ended is closed.
 *
 * A caller who has the answer may abort its signal, which destroys the socket. When the end of a Unix socket is still
 * being sent then, Deno keeps the socket for good, with the request and the answer.
 */
async function waitUntilClosed(socket: Socket): Promise<void> {
  if (socket.closed) return;
  await new Promise<void>((resolve) => socket.once("close", () => resolve()));
}

/** The lines of an answer, as they come. */
export async function* readLines(
  answer: NodeJS.ReadableStream,
): AsyncGenerator<string> {
  let rest = "";
  for await (const text of decodeText(answer)) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    yield* lines.map((line) => line.trim()).filter((line) => line !== "");
  }
}

async function* decodeText(
  answer: NodeJS.ReadableStream,
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  for await (const chunk of answer) {
    yield typeof chunk === "string"
      ? chunk
      : decoder.decode(chunk, { stream: true });
  }
}
