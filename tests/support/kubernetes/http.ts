import type { IncomingMessage, ServerResponse } from "node:http";
import { StatusError, type StoredObject } from "./objects.ts";

/** A request with what its path names. */
export interface ApiCall {
  readonly method: string;
  readonly url: URL;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** Sends a JSON response. */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

/** Sends an error as a status. */
export function sendError(response: ServerResponse, error: unknown): void {
  const status = error instanceof StatusError
    ? error
    : new StatusError(500, "InternalError", String(error));
  if (response.headersSent) return void response.end();
  if (status.retryAfterSeconds !== undefined) {
    response.setHeader("retry-after", status.retryAfterSeconds);
  }
  sendJson(response, status.code, status.toStatus());
}

/** Reads a JSON body; undefined if there is none. */
export async function readBody(
  request: IncomingMessage,
): Promise<StoredObject | undefined> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk);
  if (chunks.length === 0) return undefined;
  const bytes = new Uint8Array(
    await new Blob(chunks.map((chunk) => new Uint8Array(chunk))).arrayBuffer(),
  );
  return JSON.parse(new TextDecoder().decode(bytes));
}
