import assert from "node:assert/strict";
import { once } from "node:events";
import WebSocket from "ws";
import {
  type OpenMessage,
  renderTunnelPath,
} from "../../../src/tunnel/protocol.ts";
import {
  INSTANCE_HEADER,
  SECRET_HEADER,
} from "../../../src/core/worker_proof.ts";
import type { Api } from "../../support/api.ts";

/** A worker that does nothing by itself. */
export interface ByHand {
  readonly id: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Registers a worker that does what a test does by hand; returns its id and the headers that prove it. */
export async function register(
  api: Api,
  name: string,
  reach = "tunnel",
): Promise<ByHand> {
  const secret = `secret-of-the-worker-${name}`;
  const instance_id = crypto.randomUUID();
  const id = await api.worker({ name, secret, instance_id, reach });
  const headers = { [SECRET_HEADER]: secret, [INSTANCE_HEADER]: instance_id };
  return { id, headers };
}

/** A tunnel whose worker says only what it is told to. Disposal closes it. */
export interface TunnelByHand extends AsyncDisposable {
  readonly socket: WebSocket;
  /** Resolves with the next stream that the server asks for. */
  opened(): Promise<OpenMessage>;
  refuse(streamId: string): void;
}

/** Opens a worker's tunnel by hand. */
export async function openTunnel(
  url: string,
  { id, headers }: ByHand,
): Promise<TunnelByHand> {
  const socket = new WebSocket(
    url.replace("http", "ws") + renderTunnelPath(id),
    {
      headers,
      perMessageDeflate: false,
    },
  );
  await once(socket, "open");
  return {
    async opened(): Promise<OpenMessage> {
      const [data] = await once(socket, "message");
      return JSON.parse(String(data));
    },
    refuse: (stream_id: string) =>
      socket.send(JSON.stringify({ type: "refused", stream_id, reason: "no" })),
    socket,
    async [Symbol.asyncDispose]() {
      if (socket.readyState === socket.CLOSED) return;
      const closed = once(socket, "close");
      socket.terminate();
      await closed;
    },
  };
}

/** A session that runs on the worker. */
export async function runningOn(api: Api, workerId: string): Promise<string> {
  const { id } = await api.session();
  const claimed = await api.claim(workerId);
  assert.ok(claimed);
  const endpoint = "ws://127.0.0.1:1/devtools/browser/x";
  await api.report(workerId, claimed, "running", { endpoint });
  return id;
}
