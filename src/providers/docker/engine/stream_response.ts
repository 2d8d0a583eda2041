/**
 * Streamed responses of the engine.
 *
 * The client library never settles a request whose connection breaks during the response, and treats a broken stream
 * like one that has ended. This module detects both.
 *
 * @module
 */
import { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { addAbortSignal } from "node:stream";
import type Docker from "dockerode";

/** A request without a body. */
export interface EngineRequest {
  /** @default {"GET"} */
  readonly method?: "GET" | "POST";
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Credentials of a registry, which are sent in a header. */
  readonly auth?: object | undefined;
  readonly abortSignal: AbortSignal;
}

/** The part of the client library that sends requests. */
export type Modem = Docker["modem"];

/** Sends a request and resolves with the beginning of its response. Reading fails if the connection breaks. */
export function openEngineResponse(
  modem: Modem,
  { method = "GET", path, query = {}, auth, abortSignal }: EngineRequest,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) =>
    modem.dial({
      method,
      path: `${path}?`,
      options: { _query: query, _body: {} },
      ...(auth && { authconfig: auth }),
      abortSignal,
      isStream: true,
      statusCodes: { 200: true },
    }, (error, response) => {
      if (!(response instanceof IncomingMessage)) return reject(error);
      resolve(addAbortSignal(abortSignal, response));
    })
  );
}

/** Sends a request and returns the whole text of its response, after the connection is closed. */
export async function readEngineResponse(
  modem: Modem,
  request: EngineRequest,
): Promise<string> {
  const response = await openEngineResponse(modem, request);
  let text = "";
  for await (const chunk of decodeText(response)) text += chunk;
  await waitUntilClosed(response.socket);
  return text;
}

/**
 * Resolves when an ending socket is closed.
 *
 * A caller that has the response may abort its signal, which destroys the socket. If the end of a unix socket is still
 * being sent at that moment, Deno never releases the socket, the request and the response.
 */
export async function waitUntilClosed(socket: Socket): Promise<void> {
  if (socket.closed) return;
  await new Promise<void>((resolve) => socket.once("close", () => resolve()));
}

/** Returns the lines of a response as they arrive, without empty ones. */
export async function* readLines(
  response: NodeJS.ReadableStream,
): AsyncGenerator<string> {
  let rest = "";
  for await (const text of decodeText(response)) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    yield* lines.map((line) => line.trim()).filter((line) => line !== "");
  }
}

async function* decodeText(
  response: NodeJS.ReadableStream,
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  for await (const chunk of response) {
    yield typeof chunk === "string"
      ? chunk
      : decoder.decode(chunk, { stream: true });
  }
}
