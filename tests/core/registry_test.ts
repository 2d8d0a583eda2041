import assert from "node:assert/strict";
import { Registry } from "../../src/core/registry.ts";

Deno.test("Registry.get() lists the known names if a name is unknown", () => {
  const registry = new Registry("provider", [{ name: "docker" }]);
  assert.throws(() => registry.get("dokcer"), {
    name: "UnknownNameError",
    message:
      'Cannot find provider "dokcer": known are "docker"; did you mean "docker"?',
  });
});

Deno.test("Registry.add() rejects a name that is taken", () => {
  const registry = new Registry("provider", [{ name: "docker" }]);
  assert.throws(() => registry.add({ name: "docker" }), TypeError);
});
