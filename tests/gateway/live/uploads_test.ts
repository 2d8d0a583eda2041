import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { MAX_UPLOAD_BYTES } from "../../../src/apps/live/schemas/live_messages.ts";
import { Uploads } from "../../../src/gateway/live/uploads.ts";

const file = (name: string, size: number) => ({ name, mime: "", size });

Deno.test("the files of a choice are complete after their last byte, in their order", () => {
  const uploads = new Uploads();
  uploads.begin(7, [file("a", 2), file("b", 0)]);
  assert.equal(uploads.add(Buffer.from("hi")), undefined);
  assert.deepEqual(uploads.add(Buffer.alloc(0)), {
    id: 7,
    files: [
      { name: "a", mime: "", base64: btoa("hi") },
      { name: "b", mime: "", base64: "" },
    ],
  });
});

Deno.test("bytes that were not announced, or not so many, end the choice", () => {
  const uploads = new Uploads();
  assert.equal(uploads.add(Buffer.from("hi")), "unexpected");
  uploads.begin(1, [file("a", 3), file("b", 2)]);
  assert.equal(uploads.add(Buffer.from("hi")), "unexpected");
  assert.equal(uploads.add(Buffer.from("hi")), "unexpected");
});

Deno.test("files that are too large together are rejected before they are sent", () => {
  const uploads = new Uploads();
  const half = MAX_UPLOAD_BYTES / 2;
  assert.match(
    uploads.begin(1, [file("a", half), file("b", half + 1)]) ?? "",
    /expected at most/,
  );
  assert.equal(uploads.add(Buffer.alloc(half)), "unexpected");
});
