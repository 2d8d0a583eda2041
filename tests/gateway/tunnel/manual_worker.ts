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

/** A registered worker without a process. Tests send its requests. */
export interface RegisteredWorker {
  readonly id: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Registers a worker and returns its id and proof headers. */
export async function register(
  api: Api,
  name: string,
  reach = "tunnel",
): Promise<RegisteredWorker> {
  const secret = `secret-of-the-worker-${name}`;
  const instance_id = crypto.randomUUID();
  const id = await api.worker({ name, secret, instance_id, reach });
  const headers = { [SECRET_HEADER]: secret, [INSTANCE_HEADER]: instance_id };
  return { id, headers };
}

/** A tunnel on which the test sends the worker's messages. Disposal closes it. */
export interface ManualTunnel extends AsyncDisposable {
  readonly socket: WebSocket;
  /** Resolves with the next open message of the server. */
  nextOpen(): Promise<OpenMessage>;
  reject(streamId: string): void;
}

/** Opens the tunnel of a registered worker. */
export async function openTunnel(
  url: string,
  { id, headers }: RegisteredWorker,
): Promise<ManualTunnel> {
  const socket = new WebSocket(
    url.replace("http", "ws") + renderTunnelPath(id),
    {
      headers,
      perMessageDeflate: false,
    },
  );
  await once(socket, "open");
  return {
    async nextOpen(): Promise<OpenMessage> {
      const [data] = await once(socket, "message");
      return JSON.parse(String(data));
    },
    reject: (stream_id: string) =>
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

/** Creates a session that runs on the worker. */
export async function createRunningSession(
  api: Api,
  workerId: string,
): Promise<string> {
  const { id } = await api.session();
  const claimed = await api.claim(workerId);
  assert.ok(claimed);
  const endpoint = "ws://127.0.0.1:1/devtools/browser/x";
  await api.report(workerId, claimed, "running", { endpoint });
  return id;
}
