/** Output, measurements and connections of the containers behind pods. */
import { once } from "node:events";
import { connect } from "node:net";
import type { IncomingMessage } from "node:http";
import { type Duplex, PassThrough, Readable } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { docker } from "../docker.ts";
import type { ApiCall } from "./http.ts";

/** Sends the output of a container, and follows it if the client asks for it. */
export async function sendLog(
  { url, response }: ApiCall,
  containerId: string,
): Promise<void> {
  const query = url.searchParams;
  const options = {
    stdout: true,
    stderr: true,
    tail: Number(query.get("tailLines") ?? 1_000),
  };
  const container = docker.getContainer(containerId);
  const text = new PassThrough();
  const stream: NodeJS.ReadableStream = query.get("follow") === "true"
    ? await container.logs({ ...options, follow: true })
    : Readable.from([await container.logs(options)]);
  response.writeHead(200, { "content-type": "text/plain" });
  response.flushHeaders();
  docker.modem.demuxStream(stream, text, text);
  stream.on("end", () => text.end());
  stream.on("error", () => text.end());
  const close = () => "destroy" in stream && (stream as Duplex).destroy();
  response.once("close", close);
  text.pipe(response);
  await Promise.race([once(response, "close"), once(response, "finish")]);
  close();
}

/** A measurement of a container's CPU. */
interface Sample {
  readonly cpuNs: number;
  readonly at: number;
}

const samples = new Map<string, Sample>();

/** Measures a container as the metrics server does, since the last measurement. */
export async function measure(containerId: string): Promise<unknown> {
  const container = docker.getContainer(containerId);
  const [stats, { State }] = await Promise.all([
    container.stats({ stream: false, "one-shot": true }),
    container.inspect(),
  ]);
  const at = Date.now();
  const cpuNs = stats.cpu_stats.cpu_usage.total_usage;
  const before = samples.get(containerId) ??
    { cpuNs: 0, at: Date.parse(State.StartedAt) };
  samples.set(containerId, { cpuNs, at });
  const cores = (cpuNs - before.cpuNs) / 1e6 / Math.max(1, at - before.at);
  return {
    kind: "PodMetrics",
    apiVersion: "metrics.k8s.io/v1beta1",
    metadata: {},
    timestamp: new Date(at).toISOString(),
    window: "15s",
    containers: [{
      name: "browser",
      usage: {
        cpu: `${Math.round(cores * 1e9)}n`,
        memory: `${Math.round(stats.memory_stats.usage / 1_024)}Ki`,
      },
    }],
  };
}

const forwards = new WebSocketServer({
  noServer: true,
  handleProtocols: (offered) =>
    offered.has("v4.channel.k8s.io") ? "v4.channel.k8s.io" : false,
});

/** Serves a port-forward as a kubelet does: first messages with the port, then one connection. */
export function forwardPort(
  request: IncomingMessage,
  socket: Duplex,
  { head, address, port }: {
    readonly head: Uint8Array;
    readonly address: string;
    readonly port: number;
  },
): void {
  forwards.handleUpgrade(
    request,
    socket,
    head as never,
    (client: WebSocket) => {
      const first = new Uint8Array([0, port & 255, port >> 8]);
      client.send(first);
      client.send(new Uint8Array([1, port & 255, port >> 8]));
      const target = connect(port, address);
      target.on(
        "data",
        (chunk: Uint8Array) => client.send(new Uint8Array([0, ...chunk])),
      );
      target.on("error", (error) =>
        client.send(
          new TextEncoder().encode(
            `\x01error forwarding port ${port}: ${error.message}`,
          ),
        ));
      target.on("close", () => client.close());
      client.on(
        "message",
        (message: Uint8Array) => target.write(message.subarray(1)),
      );
      client.on("close", () => target.destroy());
    },
  );
}
