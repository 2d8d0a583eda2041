import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";

/** Address family of entries for every display. */
const FAMILY_WILD = 65_535;

const PROTOCOL = "MIT-MAGIC-COOKIE-1";

/**
 * Writes a file with a new secret, which an X server receives by `-auth` and its clients by `XAUTHORITY`. Only its
 * owner can read the file.
 *
 * @see {@link https://www.x.org/releases/current/doc/man/man5/Xsecurity.5.xhtml Xsecurity(5)}
 */
export async function writeXAuthority(path: string): Promise<void> {
  const family = Buffer.alloc(2);
  family.writeUInt16BE(FAMILY_WILD);
  const entry = Buffer.concat([
    family,
    // Any address and display number.
    ...[Buffer.alloc(0), Buffer.alloc(0), Buffer.from(PROTOCOL)].map(
      encodeCounted,
    ),
    encodeCounted(randomBytes(16)),
  ]);
  await Deno.writeFile(path, entry, { mode: 0o600, createNew: true });
}

function encodeCounted(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
