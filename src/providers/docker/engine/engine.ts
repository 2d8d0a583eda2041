import { lookup } from "node:dns/promises";
import { Agent } from "node:http";
import { Agent as TlsAgent } from "node:https";
import { isIP } from "node:net";
import { z } from "zod";
import type Docker from "dockerode";
import type { DockerConfig } from "../config.ts";
import { callEngine } from "./call_engine.ts";
import { engineMessage } from "./engine_error.ts";
import { readEngineResponse } from "./stream_response.ts";

/** Timeout of a ping. */
const PING_TIMEOUT_MS = 3_000;

/** A client of a Docker engine. */
export interface Engine {
  readonly docker: Docker;
  /** Host name of a remote engine; undefined for a socket of this machine. */
  readonly host: string | undefined;
  /** Address for messages: `/var/run/docker.sock`, `tcp://build:2375`. */
  readonly address: string;
}

/** The client library's connection settings, which its types leave out. */
const connectionSchema = z.object({
  protocol: z.string(),
  host: z.string().optional(),
  /** A path, or a function that finds the path of the default socket. */
  socketPath: z.unknown(),
});

/**
 * Creates a client of the engine at `docker_host`, at `DOCKER_HOST`, or at the default socket, in this order. Sends no
 * request.
 */
export async function openEngine(
  { docker_host }: Pick<DockerConfig, "docker_host">,
): Promise<Engine> {
  const { default: Dockerode } = await import("dockerode");
  const docker = new Dockerode(parseEngineAddress(docker_host));
  const { protocol, host = "localhost", socketPath } = connectionSchema.parse(
    docker.modem,
  );
  // One connection per request: when a kept connection breaks, Deno repeats its request, which would run twice.
  const options = { keepAlive: false };
  const agent = protocol === "https"
    ? new TlsAgent(options)
    : new Agent(options);
  Object.assign(docker.modem, { agent });
  if (socketPath === undefined) {
    return { docker, host, address: `tcp://${host}` };
  }
  const path = typeof socketPath === "function"
    ? await socketPath()
    : socketPath;
  return { docker, host: undefined, address: String(path) };
}

function parseEngineAddress(address: string | undefined): Docker.DockerOptions {
  if (address === undefined) return {};
  const socket = /^(?:unix|npipe):\/\/(.+)$/.exec(address)?.[1];
  if (socket !== undefined) return { socketPath: socket };
  const url = new URL(address.replace(/^tcp:/, "http:"));
  const isTls = url.protocol === "https:";
  return {
    host: url.hostname,
    port: url.port === "" ? (isTls ? 2376 : 2375) : Number(url.port),
    protocol: isTls ? "https" : "http",
  };
}

/** Resolves if the engine responds. @throws {Error} Names the engine and the reason. */
export async function pingEngine(
  engine: Engine,
  signal: AbortSignal,
): Promise<void> {
  try {
    await callEngine(
      (abortSignal) =>
        readEngineResponse(engine.docker.modem, {
          path: "/_ping",
          abortSignal,
        }),
      { signal, timeoutMs: PING_TIMEOUT_MS },
    );
  } catch (error) {
    signal.throwIfAborted();
    throw new Error(
      `Docker engine at ${engine.address} does not answer: ${
        engineMessage(error)
      }`,
      { cause: error },
    );
  }
}

/** Returns the address at which published ports of the engine's containers are reached. Chromium rejects host names. */
export async function findPublishedAddress(
  { host }: Engine,
): Promise<string> {
  if (host === undefined) return "127.0.0.1";
  return isIP(host) ? host : (await lookup(host)).address;
}
