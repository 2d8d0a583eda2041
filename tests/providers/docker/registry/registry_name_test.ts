import assert from "node:assert/strict";
import {
  normalizeRegistry,
  parseRegistry,
  toHelperKey,
} from "../../../../src/providers/docker/registry/registry_name.ts";

Deno.test("parseRegistry() returns the host of an image, which is Docker Hub for names without one", () => {
  const cases = {
    "debian": "docker.io",
    "debian:12": "docker.io",
    "browsergrid/chromium:latest": "docker.io",
    "docker.io/library/debian": "docker.io",
    "index.docker.io/library/debian": "docker.io",
    "localhost/browser": "localhost",
    "localhost:5000/browser": "localhost:5000",
    "Registry.Example/team/browser@sha256:0": "registry.example",
    "[::1]:5000/browser": "[::1]:5000",
    "{version}/browser": "docker.io",
  };
  for (const [image, registry] of Object.entries(cases)) {
    assert.equal(parseRegistry(image), registry, image);
  }
});

Deno.test("normalizeRegistry() accepts the URLs of Docker's configuration", () => {
  assert.equal(normalizeRegistry("https://index.docker.io/v1/"), "docker.io");
  assert.equal(
    normalizeRegistry("http://r.example:5000/v2/"),
    "r.example:5000",
  );
  assert.equal(toHelperKey("docker.io"), "https://index.docker.io/v1/");
  assert.equal(toHelperKey("r.example"), "r.example");
});
