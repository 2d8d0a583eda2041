import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A registry with one image, whose only layer is sent as a test wants. */
export interface TestRegistry extends AsyncDisposable {
  /** Name of the image. */
  readonly image: string;
  /** Resolves when the layer is asked for. */
  readonly reached: Promise<void>;
}

/** Bytes that the layer is said to have. */
export const LAYER_BYTES = 100_000;

/** Starts a registry; `sendLayer` answers the question for the layer's bytes, and need not end. */
export async function startRegistry(
  sendLayer: (response: ServerResponse) => Promise<void> | void,
): Promise<TestRegistry> {
  const reached = Promise.withResolvers<void>();
  const sending: (Promise<void> | void)[] = [];
  const config = JSON.stringify({
    architecture: "amd64",
    os: "linux",
    config: {},
    rootfs: { type: "layers", diff_ids: [computeDigest("anything")] },
  });
  const layer = computeDigest(crypto.randomUUID());
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.docker.distribution.manifest.v2+json",
    config: {
      mediaType: "application/vnd.docker.container.image.v1+json",
      size: config.length,
      digest: computeDigest(config),
    },
    layers: [{
      mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip",
      size: LAYER_BYTES,
      digest: layer,
    }],
  });
  const server = createServer(({ url = "" }, response) => {
    if (url.includes("/manifests/")) {
      response.setHeader("Docker-Content-Digest", computeDigest(manifest));
      response.setHeader("Content-Length", manifest.length);
      response.setHeader("Content-Type", JSON.parse(manifest).mediaType);
      response.end(manifest);
    } else if (url.endsWith(layer)) {
      response.setHeader("Content-Length", LAYER_BYTES);
      sending.push(sendLayer(response));
      reached.resolve();
    } else if (url.includes("/blobs/")) {
      response.end(config);
    } else response.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // AddressInfo because it listens on a port, not on a socket file.
  const { port } = server.address() as AddressInfo;
  return {
    image: `127.0.0.1:${port}/browser`,
    reached: reached.promise,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
      await Promise.all(sending);
    },
  };
}

function computeDigest(text: string): string {
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}
