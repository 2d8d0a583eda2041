import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";

/** Address family of entries that count for every display. */
const FAMILY_WILD = 65_535;

const PROTOCOL = "MIT-MAGIC-COOKIE-1";

/**
 * Writes a file with a new secret, by which an X server and its clients know each other: the server is given it by
 * `-auth`, clients by `XAUTHORITY`. For its owner alone.
 *
 * @see {@link https://www.x.org/releases/current/doc/man/man5/Xsecurity.5.xhtml Xsecurity(5)}
 */
export async function writeXAuthority(path: string): Promise<void> {
  const family = Buffer.alloc(2);
  family.writeUInt16BE(FAMILY_WILD);
  const entry = Buffer.concat([
    family,
    // Address and number of the display: any.
    ...[Buffer.alloc(0), Buffer.alloc(0), Buffer.from(PROTOCOL)].map(counted),
    counted(randomBytes(16)),
  ]);
  await Deno.writeFile(path, entry, { mode: 0o600, createNew: true });
}

function counted(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
