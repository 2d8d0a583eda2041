import assert from "node:assert/strict";
import { trimMemory } from "../../../src/cli/serve/memory_trim.ts";
import { residentMb } from "../../support/memory.ts";

const BLOCKS = 30_000;
const BLOCK_BYTES = 1_000n;

Deno.test({
  name: "a trim returns memory to the system that the C library keeps",
  ignore: Deno.build.os !== "linux",
  async fn() {
    using library = openAllocator();
    const { malloc, memset, free } = library.symbols;
    const blocks = Array.from({ length: BLOCKS }, () => {
      const block = malloc(BLOCK_BYTES);
      memset(block, 1, BLOCK_BYTES);
      return block;
    });
    // Holds the end of the heap, which the library would return without a trim.
    const last = malloc(BLOCK_BYTES);
    for (const block of blocks) free(block);
    const before = await residentMb(Deno.pid);
    trimMemory();
    const returned = before - await residentMb(Deno.pid);
    free(last);
    assert.ok(returned > 20, `${returned} MB`);
  },
});

function openAllocator() {
  const library = Deno.dlopen("libc.so.6", {
    malloc: { parameters: ["usize"], result: "pointer" },
    memset: { parameters: ["pointer", "i32", "usize"], result: "pointer" },
    free: { parameters: ["pointer"], result: "void" },
  });
  return {
    symbols: library.symbols,
    [Symbol.dispose]: () => library.close(),
  };
}
