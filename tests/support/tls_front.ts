import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import { createServer } from "node:tls";

/** A TLS proxy in front of a server, like a load balancer. */
export interface TlsFront extends AsyncDisposable {
  readonly url: string;
  /** Certificate file, for `DENO_CERT` of clients that trust it. */
  readonly certificate: string;
}

/** Stands before the server at `target`. Its certificate, made by `openssl`, is in a folder that is removed. */
export async function startTlsFront(target: string): Promise<TlsFront> {
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "browsergrid-tls-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const [key, cert] = [`${folder}/key.pem`, `${folder}/cert.pem`];
  await makeCertificate(key, cert);
  const { hostname, port } = new URL(target);
  const server = createServer({
    key: await Deno.readTextFile(key),
    cert: await Deno.readTextFile(cert),
    ALPNProtocols: ["http/1.1"],
  }, (near) => {
    const far = connect(Number(port), hostname);
    near.on("error", () => far.destroy()).on("close", () => far.destroy());
    far.on("error", () => near.destroy()).on("close", () => near.destroy());
    near.pipe(far);
    far.pipe(near);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  stack.defer(async () => {
    const closed = once(server, "close");
    server.close();
    await closed;
  });
  const { port: own } = server.address() as AddressInfo; // A TCP server's address is never text.
  const owned = stack.move();
  return {
    url: `https://localhost:${own}`,
    certificate: cert,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function makeCertificate(key: string, cert: string): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", {
    args: [
      ..."req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256".split(
        " ",
      ),
      ...["-days", "2", "-subj", "/CN=localhost"],
      ...["-addext", "basicConstraints=critical,CA:FALSE"],
      ...["-addext", "subjectAltName=DNS:localhost,DNS:grid.test"],
      ...["-keyout", key, "-out", cert],
    ],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}
