/**
 * The Docker engine: connection to it, and words for what it answers.
 *
 * @module
 */
import { lookup } from "node:dns/promises";
import { Agent } from "node:http";
import { Agent as TlsAgent } from "node:https";
import { isIP } from "node:net";
import { z } from "@hono/zod-openapi";
import type Docker from "dockerode";
import { readEngineResponse } from "./stream_response.ts";
import type { DockerConfig } from "../config.ts";

/** How long one short question to the engine may take. */
const REQUEST_TIMEOUT_MS = 30_000;

/** How long an engine that is well takes at most to say so. */
const PING_TIMEOUT_MS = 3_000;

/** A connection to a Docker engine. Makes no request by itself. */
export interface Engine {
  readonly docker: Docker;
  /** Host name of a remote engine; undefined for a socket of this machine. */
  readonly host: string | undefined;
  /** For messages: `/var/run/docker.sock`, `tcp://build:2375`. */
  readonly address: string;
}

/** What the engine says of itself and decides how containers are made. */
export interface EngineInfo {
  readonly version: string;
  /** Whether the engine finds the init process that reaps zombies; Debian has it in a package of its own. */
  readonly hasInit: boolean;
  readonly limitsCpu: boolean;
  readonly limitsMemory: boolean;
  readonly limitsSwap: boolean;
  readonly limitsPids: boolean;
  readonly filtersSyscalls: boolean;
  /** Whether containers' addresses are reachable from this machine. */
  readonly sharesNetwork: boolean;
}

/** Connects to the engine of `config.docker_host`, else of `DOCKER_HOST`, else of the system's usual socket. */
export async function openEngine(
  config: Pick<DockerConfig, "docker_host">,
): Promise<Engine> {
  const { default: Dockerode } = await import("dockerode");
  const docker = new Dockerode(parseEngineAddress(config.docker_host));
  // The library's types leave out that it looks for the socket itself.
  const modem: Modem = docker.modem as unknown as Modem;
  // One connection a request: when a kept one dies, Deno sends its request again, which would be done twice.
  const options = { keepAlive: false };
  modem.agent = modem.protocol === "https"
    ? new TlsAgent(options)
    : new Agent(options);
  if (modem.socketPath !== undefined) {
    return { docker, host: undefined, address: await modem.getSocketPath() };
  }
  const host = modem.host ?? "localhost";
  return { docker, host, address: `tcp://${host}` };
}

interface Modem {
  readonly socketPath?: unknown;
  readonly host?: string;
  readonly protocol: string;
  agent: Agent | undefined;
  getSocketPath(): Promise<string>;
}

function parseEngineAddress(address: string | undefined): Docker.DockerOptions {
  if (address === undefined) return {};
  const socket = /^(?:unix|npipe):\/\/(.+)$/.exec(address)?.[1];
  if (socket !== undefined) return { socketPath: socket };
  const url = new URL(address.replace(/^tcp:/, "http:"));
  const tls = url.protocol === "https:";
  return {
    host: url.hostname,
    port: url.port === "" ? (tls ? 2376 : 2375) : Number(url.port),
    protocol: tls ? "https" : "http",
  };
}

const infoSchema = z.object({
  ServerVersion: z.string(),
  OperatingSystem: z.string().default(""),
  Name: z.string().default(""),
  InitCommit: z.object({ ID: z.string() }).nullish(),
  SecurityOptions: z.array(z.string()).nullish(),
  CpuCfsQuota: z.boolean().nullish(),
  CPUCfsQuota: z.boolean().nullish(),
  MemoryLimit: z.boolean().nullish(),
  SwapLimit: z.boolean().nullish(),
  PidsLimit: z.boolean().nullish(),
});

/** Asks the engine about itself. */
export async function inspectEngine(
  engine: Engine,
  signal?: AbortSignal,
): Promise<EngineInfo> {
  const answer = await callEngine(
    (abortSignal) =>
      readEngineResponse(engine.docker.modem, { path: "/info", abortSignal }),
    { signal },
  );
  const info = infoSchema.parse(JSON.parse(answer));
  const security = info.SecurityOptions ?? [];
  const isRemote = engine.host !== undefined;
  const isVirtual = /Docker Desktop|OrbStack|Colima/i.test(
    `${info.OperatingSystem} ${info.Name}`,
  );
  const isRootless = security.some((entry) => entry.includes("name=rootless"));
  return {
    version: info.ServerVersion,
    hasInit: info.InitCommit?.ID !== "N/A",
    limitsCpu: info.CpuCfsQuota ?? info.CPUCfsQuota ?? false,
    limitsMemory: info.MemoryLimit ?? false,
    limitsSwap: info.SwapLimit ?? false,
    limitsPids: info.PidsLimit ?? false,
    filtersSyscalls: security.some((entry) => entry.includes("name=seccomp")),
    sharesNetwork: Deno.build.os === "linux" && !isRemote && !isVirtual &&
      !isRootless,
  };
}

/**
 * Asks whether the engine answers at all.
 *
 * @throws {Error} that says which engine does not, and why.
 */
export async function pingEngine(
  engine: Engine,
  signal: AbortSignal,
): Promise<void> {
  try {
    await callEngine(
      // The type lacks the option that every other call has.
      (abortSignal) =>
        engine.docker.ping(...[{ abortSignal }] as unknown as []),
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

/** Address under which published ports of the engine's containers are reached. Chromium refuses host names. */
export async function findPublishedAddress(engine: Engine): Promise<string> {
  if (engine.host === undefined) return "127.0.0.1";
  if (isIP(engine.host)) return engine.host;
  return (await lookup(engine.host)).address;
}

/**
 * Makes one request and gives it up after `timeoutMs`, or when `signal` is aborted.
 *
 * @throws {Error} with the engine's own words, or the signal's reason.
 */
export async function callEngine<T>(
  request: (abortSignal: AbortSignal) => Promise<T>,
  { signal, timeoutMs = REQUEST_TIMEOUT_MS }: {
    readonly signal?: AbortSignal | undefined;
    readonly timeoutMs?: number;
  } = {},
): Promise<T> {
  signal?.throwIfAborted();
  const given = new AbortController();
  const timer = setTimeout(
    () =>
      given.abort(
        new Error(`Docker engine did not answer within ${timeoutMs / 1000} s`),
      ),
    timeoutMs,
  );
  const onAbort = () => given.abort(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  const { promise: givenUp, reject } = Promise.withResolvers<never>();
  given.signal.addEventListener("abort", () => reject(given.signal.reason));
  try {
    // Some calls of the library take no signal, hence the race.
    return await Promise.race([request(given.signal), givenUp]);
  } catch (error) {
    throw given.signal.aborted ? given.signal.reason : error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

/** What the engine said, without the client library's decoration. */
export function engineMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const answer = "json" in error ? error.json : undefined;
  if (
    typeof answer === "object" && answer !== null && "message" in answer
  ) return String(answer.message).trim();
  const code = "code" in error ? String(error.code) : "";
  if (/ECONNREFUSED|ENOENT|EACCES|EPERM/.test(code + error.message)) {
    return `the engine cannot be reached (${code || error.message})`;
  }
  if (/ECONNRESET|EPIPE/.test(code)) {
    return `the engine broke off the connection (${code})`;
  }
  // The library names the status before the engine's own words.
  return error.message.replace(/^\(HTTP code \d+\) .+? - /, "").trim();
}

/** For `catch`: throws that `what` failed, with the engine's own words. */
export function rethrowAs(what: string): (error: unknown) => never {
  return (error) => {
    throw new Error(`${what}: ${engineMessage(error)}`, { cause: error });
  };
}

/** Whether a failed request cannot have reached the engine, because there was no connection. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof Error && "code" in error &&
    /^(ECONNREFUSED|ENOENT|EACCES|EPERM|ENOTFOUND)$/.test(String(error.code));
}

/** HTTP status of an engine's refusal; undefined if it did not answer. */
export function engineStatus(error: unknown): number | undefined {
  return error instanceof Error && "statusCode" in error &&
      typeof error.statusCode === "number"
    ? error.statusCode
    : undefined;
}
