import assert from "node:assert/strict";
import {
  type AttemptContext,
  attemptDelivery,
} from "../../../src/apps/webhooks/delivery/attempt.ts";
import {
  newSecret,
  WebhookSecrets,
} from "../../../src/apps/webhooks/secrets.ts";
import type { LeasedDelivery } from "../../../src/apps/webhooks/store/lease.ts";
import { systemClock } from "../../../src/async/clock.ts";
import { SecretCipher } from "../../../src/db/secrets.ts";
import type { TargetRequest } from "../../../src/apps/webhooks/delivery/send_request.ts";

const secrets = new WebhookSecrets(
  new SecretCipher(crypto.getRandomValues(new Uint8Array(32)), []),
);

/** Makes one attempt with an injected resolver; returns its result, and the requests that would have been sent. */
async function attempt(
  url: string,
  { addresses = [], ...settings }: {
    readonly addresses?: readonly string[];
    readonly webhook_allowed_networks?: string[];
    readonly webhook_allowed_ports?: string[];
    readonly webhook_allow_http?: boolean;
  } = {},
) {
  const dialled: TargetRequest[] = [];
  const resolved: string[] = [];
  const context: AttemptContext = {
    clock: systemClock,
    secrets,
    settings: {
      webhook_allowed_networks: [],
      webhook_allowed_ports: [],
      webhook_allow_http: false,
      ...settings,
    },
    issueConnectUrl: () => Promise.reject(new TypeError("not asked for")),
    findLiveUrl: () => Promise.reject(new TypeError("not asked for")),
    resolve(name) {
      resolved.push(name);
      return Promise.resolve(addresses);
    },
    send(request) {
      dialled.push(request);
      return Promise.resolve({ status: 204, text: "" });
    },
  };
  const delivery: LeasedDelivery = {
    traceparent: null,
    id: 1,
    messageId: "evt_1_a",
    type: "session.running",
    data: "{}",
    timestamp: 0,
    attempts: 1,
    webhookId: "a",
    webhookName: "a",
    url,
    headers: {},
    secret: await secrets.sealSecret(newSecret(), "a"),
    previousSecret: null,
    previousSecretUntil: null,
    timeoutSeconds: 1,
    maxAttempts: 1,
    includeConnectUrl: false,
  };
  const { signal } = new AbortController();
  const result = await attemptDelivery(delivery, context, signal);
  return { result, dialled, resolved };
}

const FORBIDDEN = [
  "127.0.0.1",
  "127.9.9.9",
  "0.0.0.0",
  "10.0.0.1",
  "172.16.0.1",
  "192.168.1.1",
  "169.254.169.254",
  "100.64.0.1",
  "192.0.2.1",
  "198.18.0.1",
  "224.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "fe80::1",
  "fe80::1%eth0",
  "fc00::1",
  "fd00:ec2::254",
  "::ffff:127.0.0.1",
  "::ffff:169.254.169.254",
  "::127.0.0.1",
  "64:ff9b::7f00:1",
  "2002:7f00:1::",
  "2001:db8::1",
  "ff02::1",
];

Deno.test("an address that is not public is never dialled, whether it is named or resolved", async () => {
  for (const address of FORBIDDEN) {
    const named = await attempt("https://hooks.example/", {
      addresses: [address],
    });
    assert.deepEqual(named.dialled, [], address);
    assert.match(named.result.error ?? "", /not public/, address);
    assert.ok(!named.result.error?.includes(address), address);
    if (address.includes("%")) continue;
    const host = address.includes(":") ? `[${address}]` : address;
    const literal = await attempt(`https://${host}/`);
    assert.deepEqual(literal.dialled, [], address);
    assert.match(literal.result.error ?? "", /not public/, address);
  }
});

Deno.test("other forms of loopback addresses in a URL are never dialled", async () => {
  for (const host of ["2130706433", "0x7f.1", "127.1", "017700000001"]) {
    const { dialled, resolved } = await attempt(`https://${host}/`);
    assert.deepEqual([dialled, resolved], [[], []], host);
  }
});

Deno.test("a name with a public and a private address is rejected", async () => {
  const { dialled } = await attempt("https://hooks.example/", {
    addresses: ["9.9.9.9", "10.0.0.1"],
  });
  assert.deepEqual(dialled, []);
});

Deno.test("a name is resolved once, and the connection goes to its address with the name as host", async () => {
  const { dialled, resolved, result } = await attempt(
    "https://hooks.example:8443/x?y",
    { addresses: ["9.9.9.9", "9.9.9.10"] },
  );
  assert.deepEqual(resolved, ["hooks.example"]);
  assert.equal(dialled[0]?.address, "9.9.9.9");
  assert.equal(dialled[0]?.url.host, "hooks.example:8443");
  assert.equal(result.error, null);
});

Deno.test("the settings allow networks and http, and nothing else", async () => {
  const webhook_allowed_networks = ["10.1.0.0/16", "fd00::/8", "::1"];
  const dials = async (url: string, addresses: string[], isHttp = false) => {
    const { dialled } = await attempt(url, {
      addresses,
      webhook_allowed_networks,
      webhook_allow_http: isHttp,
    });
    return dialled.length === 1;
  };
  const url = "https://hooks.example/";
  assert.ok(await dials(url, ["10.1.2.3"]));
  assert.ok(await dials(url, ["::ffff:10.1.2.3"]));
  assert.ok(await dials(url, ["fd00::1"]));
  assert.ok(await dials("https://[::1]/", []));
  assert.ok(!await dials(url, ["10.2.0.1"]));
  assert.ok(!await dials("http://hooks.example/", ["9.9.9.9"]));
  const isHttp = true;
  assert.ok(await dials("http://hooks.example/", ["9.9.9.9"], isHttp));
});

Deno.test("ports of other services are never dialled, and a list of ports allows no others", async () => {
  const dial = async (port: number, webhook_allowed_ports: string[] = []) => {
    const { dialled, result } = await attempt(
      `https://hooks.example:${port}/`,
      {
        addresses: ["9.9.9.9"],
        webhook_allowed_ports,
      },
    );
    if (dialled.length === 0) assert.match(result.error ?? "", /port/);
    return dialled.length;
  };
  for (const port of [22, 25, 587, 1023]) assert.equal(await dial(port), 0);
  for (const port of [80, 443, 1024, 8443]) assert.equal(await dial(port), 1);
  assert.equal(await dial(587, ["587"]), 1);
  assert.equal(await dial(443, ["587"]), 0);
});
