import assert from "node:assert/strict";
import { viewerMessageSchema } from "../../../../src/apps/live/schemas/viewer_messages.ts";
import {
  type InputMessage,
  toCommand,
} from "../../../../src/gateway/live/page/input.ts";

const INPUT = ["mouse", "wheel", "touch", "key", "text", "compose"];

function isInput(message: { readonly type: string }): message is InputMessage {
  return INPUT.includes(message.type);
}

function translate(message: object) {
  const parsed = viewerMessageSchema.parse(message);
  assert.ok(isInput(parsed));
  return toCommand(parsed);
}

const KEY = { type: "key", action: "down", is_repeat: false };

Deno.test("a drag with the right button keeps the mask of pressed buttons", () => {
  const { method, params } = translate({
    type: "mouse",
    action: "move",
    x: 10.5,
    y: 20,
    button: "none",
    buttons: 2,
  });
  assert.equal(method, "Input.dispatchMouseEvent");
  assert.equal(params?.["type"], "mouseMoved");
  assert.equal(params?.["buttons"], 2);
});

Deno.test("a printable key inserts its text, Enter a line, and a shortcut nothing", () => {
  const texts = [
    { ...KEY, key: "a", code: "KeyA", key_code: 65 },
    { ...KEY, key: "Enter", code: "Enter", key_code: 13 },
    { ...KEY, key: "a", code: "KeyA", key_code: 65, modifiers: 2 },
    { ...KEY, key: "ArrowLeft", code: "ArrowLeft", key_code: 37 },
    { ...KEY, key: "\u{1F600}", code: "", key_code: 0 },
  ].map((message) => translate(message).params);
  assert.deepEqual(texts.map((params) => params?.["text"]), [
    "a",
    "\r",
    undefined,
    undefined,
    "\u{1F600}",
  ]);
  assert.deepEqual(texts.map((params) => params?.["type"]), [
    "keyDown",
    "keyDown",
    "rawKeyDown",
    "rawKeyDown",
    "keyDown",
  ]);
});

Deno.test("messages beyond the limits are rejected", () => {
  const invalid = [
    {
      type: "mouse",
      action: "move",
      x: Infinity,
      y: 0,
      button: "none",
      buttons: 0,
    },
    { type: "mouse", action: "move", x: 0, y: 0, button: "none", buttons: 32 },
    { type: "text", text: "a".repeat(100_001) },
    { type: "tab", id: "../json/close" },
    { type: "view", width: 1e9, height: 10 },
    { type: "ack", seq: 1, more: true },
    { type: "unknown" },
  ];
  for (const message of invalid) {
    assert.ok(!viewerMessageSchema.safeParse(message).success);
  }
});
