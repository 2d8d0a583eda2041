import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { type EgressTarget, parseAddress } from "../../../core/egress.ts";
import type { SocketReader } from "./socket_reader.ts";

/** A SOCKS proxy's user name and password. */
export interface SocksCredentials {
  readonly username: string;
  readonly password: string;
}

/** Reasons of SOCKS proxies for a failed connection. */
const FAILURES: Readonly<Record<number, string>> = {
  2: "its rules do not allow it",
  3: "the network is unreachable",
  4: "the host is unreachable",
  5: "the connection was refused",
};

/**
 * Asks a SOCKS 5 proxy to connect to `target`.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc1928 RFC 1928}, {@link https://www.rfc-editor.org/rfc/rfc1929 RFC 1929}
 * @throws {Error} If the proxy does not connect.
 */
export async function connectBySocks5(
  socket: Socket,
  reader: SocketReader,
  { target, credentials }: {
    readonly target: EgressTarget;
    readonly credentials?: SocksCredentials | undefined;
  },
): Promise<void> {
  socket.write(Buffer.from(credentials ? [5, 2, 0, 2] : [5, 1, 0]));
  const [version, method] = await reader.bytes(2);
  if (version !== 5) throw new Error("it does not speak SOCKS 5");
  if (method === 2 && credentials) {
    const name = encodeText(credentials.username);
    const password = encodeText(credentials.password);
    socket.write(Buffer.concat([Buffer.from([1]), name, password]));
    const [, status] = await reader.bytes(2);
    if (status !== 0) throw new Error("it rejects the user name or password");
  } else if (method !== 0) {
    throw new Error("it accepts none of the offered authentication methods");
  }
  socket.write(
    Buffer.concat([
      Buffer.from([5, 1, 0]),
      encodeAddress(target.host),
      encodePort(target),
    ]),
  );
  const [, reply = 1, , type] = await reader.bytes(4);
  if (reply !== 0) {
    throw new Error(FAILURES[reply] ?? `it responds with ${reply}`);
  }
  const [length = 0] = type === 3
    ? await reader.bytes(1)
    : [type === 4 ? 16 : 4];
  await reader.bytes(length + 2);
}

/**
 * Asks a SOCKS 4a proxy to connect to `target`, which must not be an IPv6 address.
 *
 * @throws {Error} If the proxy does not connect.
 */
export async function connectBySocks4(
  socket: Socket,
  reader: SocketReader,
  target: EgressTarget,
): Promise<void> {
  const address = parseAddress(target.host);
  if (address?.kind() === "ipv6") throw new Error("SOCKS 4 has no IPv6");
  // 0.0.0.1 means that a name follows.
  const four = address?.toByteArray() ?? [0, 0, 0, 1];
  const name = address ? "" : `${target.host}\0`;
  socket.write(
    Buffer.concat([
      Buffer.from([4, 1]),
      encodePort(target),
      Buffer.from([...four, 0]),
      Buffer.from(name),
    ]),
  );
  const [, reply] = await reader.bytes(8);
  if (reply !== 90) throw new Error(`it responds with ${reply}`);
}

function encodePort({ port }: EgressTarget): Buffer {
  return Buffer.from([port >> 8, port & 255]);
}

function encodeAddress(host: string): Buffer {
  const address = parseAddress(host);
  if (!address) return Buffer.concat([Buffer.from([3]), encodeText(host)]);
  const type = address.kind() === "ipv4" ? 1 : 4;
  return Buffer.from([type, ...address.toByteArray()]);
}

/** Encodes a text of at most 255 bytes, preceded by its length. */
function encodeText(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length > 255) throw new Error("SOCKS allows at most 255 bytes");
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}
