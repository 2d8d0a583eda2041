/**
 * A registry that speaks the distribution API for one small image, and accepts one user: with Basic authentication, or
 * with tokens of its own authorization server.
 *
 * @see {@link https://distribution.github.io/distribution/spec/auth/token/ Token authentication}
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import tar from "tar-stream";

/** User name and password that the registry accepts. */
export const USER = { username: "robot", password: "planted-Pass/1:+" };

/** Token that its authorization server exchanges for others. */
export const IDENTITY_TOKEN = "planted-identity-token";

const MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json";

/** Authentication of clients. */
export type RegistryScheme = "none" | "basic" | "bearer";

/** A running registry with the image `private/browser:latest`. */
export interface PrivateRegistry extends AsyncDisposable {
  /** Its address, `127.0.0.1:PORT`. */
  readonly host: string;
  readonly image: string;
  /** Values of `Authorization` and bodies of token requests since the start. */
  readonly presented: string[];
}

/** Starts a registry on loopback, from which the engine also pulls without TLS. */
export async function startPrivateRegistry(
  scheme: RegistryScheme,
): Promise<PrivateRegistry> {
  const token = crypto.randomUUID();
  const presented: string[] = [];
  const blobs = await createImage();
  let host = "";

  async function respond(
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { authorization } = request.headers;
    if (authorization !== undefined) presented.push(authorization);
    const url = new URL(request.url ?? "/", `http://${host}`);
    if (url.pathname === "/token") {
      const body = await text(request);
      if (body !== "") presented.push(body);
      const isKnown = isUser(authorization) ||
        new URLSearchParams(body).get("refresh_token") === IDENTITY_TOKEN;
      if (!isKnown) return reject(response, "incorrect username or password");
      return sendJson(response, { token, access_token: token });
    }
    const isAllowed = scheme === "bearer"
      ? authorization === `Bearer ${token}`
      : isUser(authorization);
    if (isAllowed || scheme === "none") {
      return sendBlob(response, url.pathname, blobs);
    }
    response.setHeader(
      "WWW-Authenticate",
      scheme === "basic"
        ? 'Basic realm="private"'
        : `Bearer realm="http://${host}/token",service="private",scope="repository:private/browser:pull"`,
    );
    // Repeats what it received, as a hostile registry may.
    reject(response, `authentication required, not ${authorization}`);
  }

  const server = createServer((request, response) =>
    void respond(request, response)
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // AddressInfo because it listens on a port, not on a socket file.
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    image: `${host}/private/browser`,
    presented,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function isUser(authorization: string | undefined): boolean {
  const { username, password } = USER;
  return authorization ===
    `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

function reject(response: ServerResponse, message: string): void {
  response.statusCode = 401;
  sendJson(response, { errors: [{ code: "UNAUTHORIZED", message }] });
}

function sendJson(response: ServerResponse, body: object): void {
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify(body));
}

function sendBlob(
  response: ServerResponse,
  path: string,
  blobs: ReadonlyMap<string, Buffer>,
): void {
  if (path === "/v2/") return sendJson(response, {});
  const blob = blobs.get(path.slice(path.lastIndexOf("/") + 1));
  if (!blob) {
    response.statusCode = 404;
    return sendJson(response, { errors: [{ code: "NOT_FOUND" }] });
  }
  if (path.includes("/manifests/")) {
    response.setHeader("Content-Type", MANIFEST_TYPE);
    response.setHeader("Docker-Content-Digest", computeDigest(blob));
  }
  response.setHeader("Content-Length", blob.length);
  response.end(blob);
}

/** Returns the manifest by `latest` and its digest, and configuration and layer by their digests. */
async function createImage(): Promise<ReadonlyMap<string, Buffer>> {
  const pack = tar.pack();
  // A content of its own makes the engine fetch it.
  pack.entry({ name: "id" }, crypto.randomUUID());
  pack.finalize();
  const archive = Buffer.concat(await Array.fromAsync(pack, Buffer.from));
  const layer = gzipSync(archive);
  const config = Buffer.from(JSON.stringify({
    architecture: "amd64",
    os: "linux",
    config: {},
    rootfs: { type: "layers", diff_ids: [computeDigest(archive)] },
  }));
  const describe = (mediaType: string, blob: Buffer) => ({
    mediaType,
    size: blob.length,
    digest: computeDigest(blob),
  });
  const manifest = Buffer.from(JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: describe("application/vnd.docker.container.image.v1+json", config),
    layers: [
      describe("application/vnd.docker.image.rootfs.diff.tar.gzip", layer),
    ],
  }));
  return new Map([
    ["latest", manifest],
    ...[manifest, config, layer].map((blob) =>
      [computeDigest(blob), blob] as const
    ),
  ]);
}

function computeDigest(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
