/**
 * The files in a compiled program for x86-64 Linux. The format is private to the pinned version of Deno.
 *
 * ```text
 * section .note.sui   name size, payload size, type (4 bytes each), name, payload
 * payload             name size (2), name, then: magic, metadata, npm snapshot, 12 bytes of remote modules,
 *                     folder as JSON, data, source maps, magic; each part after its size (8)
 * ```
 *
 * @module
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { z } from "zod";

const SECTION = ".note.sui";
const MAGIC = "d3n0l4nd";
const REMOTE_MODULES_BYTES = 12;

/** A file or folder: its name, and its position and size in the data or its entries. */
interface Entry {
  readonly File?: { readonly n: string; readonly o: [number, number] };
  readonly Dir?: { readonly n: string; readonly e: readonly Entry[] };
}

const entrySchema: z.ZodType<Entry> = z.lazy(() =>
  z.object({
    File: z.object({ n: z.string(), o: z.tuple([z.int(), z.int()]) })
      .optional(),
    Dir: z.object({ n: z.string(), e: z.array(entrySchema) }).optional(),
  })
) as z.ZodType<Entry>;

/** Returns the embedded files by their paths. */
export function readEmbeddedFiles(
  program: Uint8Array,
): ReadonlyMap<string, Uint8Array> {
  const payload = readPayload(Buffer.from(program.buffer));
  assert.equal(payload.toString("latin1", 0, MAGIC.length), MAGIC);
  let at = MAGIC.length;
  const readPart = () => {
    const size = Number(payload.readBigUInt64LE(at));
    const part = payload.subarray(at + 8, at + 8 + size);
    at += 8 + size;
    return part;
  };
  readPart(); // Metadata.
  readPart(); // The snapshot of npm packages.
  at += REMOTE_MODULES_BYTES;
  const root = z.array(entrySchema).parse(JSON.parse(readPart().toString()));
  const data = readPart();
  const files = new Map<string, Uint8Array>();
  const collect = (entries: readonly Entry[], folder: string) => {
    for (const { File: file, Dir: dir } of entries) {
      if (file) {
        const [start, size] = file.o;
        files.set(folder + file.n, data.subarray(start, start + size));
      }
      if (dir) collect(dir.e, `${folder}${dir.n}/`);
    }
  };
  collect(root, "");
  return files;
}

/** Returns the content of the note section of an ELF file. */
function readPayload(elf: Buffer): Buffer {
  const table = Number(elf.readBigUInt64LE(0x28));
  const [size, count, names] = [0x3a, 0x3c, 0x3e].map((at) =>
    elf.readUInt16LE(at)
  ) as [number, number, number];
  const sections = Array.from({ length: count }, (_, index) => {
    const at = table + index * size;
    return {
      name: elf.readUInt32LE(at),
      start: Number(elf.readBigUInt64LE(at + 24)),
      bytes: Number(elf.readBigUInt64LE(at + 32)),
    };
  });
  const namesAt = sections[names]?.start ?? 0;
  const section = sections.find(({ name }) =>
    elf.toString("latin1", namesAt + name, namesAt + name + SECTION.length) ===
      SECTION
  );
  assert.ok(section, "the file has no embedded program");
  const note = elf.subarray(section.start, section.start + section.bytes);
  const start = 12 + Math.ceil(note.readUInt32LE(0) / 4) * 4;
  const payload = note.subarray(start, start + note.readUInt32LE(4));
  return payload.subarray(2 + payload.readUInt16LE(0));
}
