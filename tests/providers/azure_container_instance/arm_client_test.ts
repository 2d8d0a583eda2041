/**
 * The client of Azure's API: repetitions, pages, limits, and what its errors contain.
 *
 * @module
 */
import assert from "node:assert/strict";
import { systemClock } from "../../../src/async/clock.ts";
import {
  type ContainerGroups,
  isAmbiguous,
  openContainerGroups,
} from "../../../src/providers/azure_container_instance/arm/container_groups.ts";
import { readRetryAfterMs } from "../../../src/providers/azure_container_instance/arm/retry_after.ts";
import { createGroupBody } from "../../../src/providers/azure_container_instance/group/body.ts";
import { AzureServer } from "../../support/azure/azure_server.ts";
import { reject } from "../../support/azure/groups.ts";
import { parseAzureConfig } from "../../support/azure/azure_host.ts";

const NEVER = new AbortController().signal;

const PUT = /^PUT .*\/containerGroups\//;

const LIST = /^GET .*\/containerGroups$/;

interface Scene extends AsyncDisposable {
  readonly azure: AzureServer;
  readonly groups: ContainerGroups;
}

async function openScene(): Promise<Scene> {
  const azure = await AzureServer.start();
  return {
    azure,
    groups: openContainerGroups(parseAzureConfig(azure), () => undefined),
    [Symbol.asyncDispose]: () => azure[Symbol.asyncDispose](),
  };
}

Deno.test("a rejected token is replaced once, and the request repeated", async () => {
  await using test = await openScene();
  await test.groups.list({}, NEVER);
  test.azure.tokens.revoke();
  await test.groups.list({}, NEVER);
  assert.equal(test.azure.tokens.issued.length, 2);
  test.azure.reject(LIST, reject(401, "ExpiredAuthenticationToken", "no"), 9);
  await assert.rejects(test.groups.list({}, NEVER), /401 ExpiredAuth/);
  assert.equal(test.azure.tokens.issued.length, 3);
});

Deno.test("429 is repeated after the pause that Azure asks for, and the wait ends with its signal", async () => {
  await using test = await openScene();
  const slow = reject(429, "TooManyRequests", "slow down");
  test.azure.reject(LIST, { ...slow, headers: { "retry-after-ms": "300" } });
  const asked = systemClock.monotonic();
  await test.groups.list({}, NEVER);
  assert.ok(systemClock.monotonic() - asked >= 290);
  test.azure.reject(LIST, { ...slow, headers: { "retry-after": "30" } });
  const abort = new AbortController();
  const listing = assert.rejects(
    test.groups.list({}, abort.signal),
    /no longer wanted/,
  );
  abort.abort(new Error("no longer wanted"));
  await listing;
});

Deno.test("a list follows its pages, but no link to another origin", async () => {
  await using test = await openScene();
  const { groups, azure } = test;
  await using other = await AzureServer.start();
  azure.reject(LIST, {
    status: 200,
    body: { value: [], nextLink: `${other.url}/steal` },
  });
  await assert.rejects(
    groups.list({}, NEVER),
    /its link leads to "http:\/\/127.0.0.1:\d+" after 1 pages, expected http/,
  );
  azure.reject(LIST, {
    status: 200,
    body: { value: [], nextLink: "not a link" },
  });
  await assert.rejects(groups.list({}, NEVER), /its link leads to "undefined"/);
  assert.deepEqual(other.requests, []);
  const item = (name: string, tags: Readonly<Record<string, string>>) => ({
    name,
    tags,
    properties: { containers: [] },
  });
  azure.reject(LIST, {
    status: 200,
    body: {
      value: [item("a", { t: "1" })],
      nextLink: `${azure.url}/next/containerGroups?page=2`,
    },
  });
  azure.reject(/^GET \/next/, {
    status: 200,
    body: { value: [item("b", { t: "1" }), item("c", { t: "2" })] },
  });
  const found = await groups.list({ t: "1" }, NEVER);
  assert.deepEqual(found.map(({ name }) => name), ["a", "b"]);
});

Deno.test("a redirect is not followed, and a response that is not as published is an error", async () => {
  await using test = await openScene();
  await using other = await AzureServer.start();
  test.azure.reject(LIST, { status: 307, headers: { location: other.url } });
  await assert.rejects(test.groups.list({}, NEVER), /responds with 307/);
  assert.deepEqual(other.requests, []);
  test.azure.reject(LIST, { status: 200, body: { value: [{ name: 1 }] } });
  await assert.rejects(
    test.groups.list({}, NEVER),
    /^Error: Cannot read a response of Azure: value.0.name: /,
  );
  test.azure.reject(LIST, { status: 200, body: "x".repeat(9 * 2 ** 20) });
  await assert.rejects(test.groups.list({}, NEVER), /more than \d+ bytes/);
});

Deno.test("an error contains Azure's message, shortened, and never the token", async () => {
  await using test = await openScene();
  await test.groups.list({}, NEVER);
  const [token = ""] = test.azure.tokens.list();
  const text = `Bearer ${token} ${"long ".repeat(1_000)}`;
  test.azure.reject(LIST, reject(400, "BadRequest", text));
  await assert.rejects(test.groups.list({}, NEVER), (error: Error) => {
    assert.match(error.message, /^it responds with 400 BadRequest Bearer … /);
    assert.ok(error.message.length < 700);
    assert.doesNotMatch(Deno.inspect(error), /planted-token/);
    return true;
  });
});

Deno.test("delete() accepts 200, 202, 204 and 404", async () => {
  await using test = await openScene();
  const { groups, azure } = test;
  const deletion = /^DELETE/;
  azure.reject(deletion, { status: 200, body: {} });
  assert.ok(await groups.delete("g", NEVER));
  azure.reject(deletion, { status: 202, headers: { "retry-after": "2" } });
  assert.deepEqual(await groups.delete("g", NEVER), { retryAfterMs: 2_000 });
  assert.equal(await groups.delete("g", NEVER), undefined);
  azure.reject(deletion, reject(404, "ResourceNotFound", "gone"));
  assert.equal(await groups.delete("g", NEVER), undefined);
});

/** Creates a group with a body of any content. */
function create(
  { azure, groups }: Scene,
  retryWithinMs: number,
): Promise<unknown> {
  const body = createGroupBody(parseAzureConfig(azure), {
    tags: {},
    image: "i",
    command: [],
    size: { cpu: 1, memoryGb: 1 },
    variables: [],
  });
  return groups.create("g", body, { signal: NEVER, retryWithinMs });
}

Deno.test("create() repeats a rejected creation at most twice a second, and not if its time would be over", async () => {
  await using test = await openScene();
  const busy = reject(503, "ServerTimeout", "busy");
  const count = () =>
    test.azure.requests.filter((line) => PUT.test(line)).length;
  test.azure.reject(PUT, { ...busy, headers: { "retry-after": "0" } }, 9);
  const begun = systemClock.monotonic();
  await assert.rejects(create(test, 800), /503 ServerTimeout/);
  assert.ok(systemClock.monotonic() - begun < 1_500);
  assert.equal(count(), 2);
  await using other = await openScene();
  other.azure.reject(PUT, { ...busy, headers: { "retry-after": "30" } }, 9);
  await assert.rejects(create(other, 20_000), /503 ServerTimeout/);
  assert.deepEqual(other.azure.groups.names, []);
});

Deno.test("create() fails ambiguously if the first attempt had no response and a later one is rejected", async () => {
  await using test = await openScene();
  const { azure } = test;
  azure.reject(PUT, reject(500, "InternalServerError", "no"));
  azure.reject(PUT, reject(403, "AuthorizationFailed", "no role"));
  azure.reject(/^GET .*\/containerGroups\/g$/, reject(400, "BadRequest", "no"));
  await assert.rejects(create(test, 9_000), (error) => {
    assert.match(String(error), /403 AuthorizationFailed/);
    assert.ok(isAmbiguous(error));
    return true;
  });
  azure.reject(PUT, reject(403, "AuthorizationFailed", "no role"));
  await assert.rejects(create(test, 9_000), (error) => !isAmbiguous(error));
});

Deno.test("readRetryAfterMs() reads seconds, milliseconds and dates, and nothing else", () => {
  const read = (headers: Readonly<Record<string, string>>) =>
    readRetryAfterMs(new Headers({ ...headers }));
  assert.equal(read({ "retry-after": "7" }), 7_000);
  assert.equal(read({ "retry-after": "7", "retry-after-ms": "20" }), 20);
  assert.equal(read({ "x-ms-retry-after-ms": "30" }), 30);
  const at = new Date(Date.now() + 60_000).toUTCString();
  const ms = read({ "retry-after": at });
  assert.ok(ms !== undefined && ms > 55_000 && ms <= 60_000);
  assert.equal(read({ "retry-after": "soon" }), undefined);
  // Never no pause at all: the clocks of both hosts may differ.
  const past = new Date(Date.now() - 60_000).toUTCString();
  for (const text of ["0", past]) {
    assert.equal(read({ "retry-after": text }), 500);
  }
  assert.equal(read({ "retry-after-ms": "0" }), 500);
  assert.equal(read({}), undefined);
});
