/**
 * A worker in a process of its own, whose browsers are what listens at an address that it is given; the address that it
 * reports leads nowhere. Prints a line when it has registered.
 *
 * @module
 */
import { createClient } from "../../src/client/client.ts";
import { systemClock } from "../../src/core/clock.ts";
import { Registry } from "../../src/core/registry.ts";
import { local } from "../../src/providers/local/provider.ts";
import { tunnelTo } from "../../src/worker/tunnel.ts";
import { startWorker } from "../../src/worker/worker.ts";
import { createFakeProvider } from "./fake_provider.ts";

const [apiUrl = "", endpoint = "", dataDir = ""] = Deno.args;
const fake = createFakeProvider();
const open = tunnelTo({ apiUrl });
const worker = await startWorker({
  client: createClient({ apiUrl }),
  providers: new Registry("provider", [{
    ...local,
    open: (_, info) => fake.open({}, info),
  }]),
  clock: systemClock,
  workPoolId: "pool",
  capacity: 5,
  pollIntervalSeconds: 10,
  dataDir,
  version: "0.0.0-test",
  reach: "tunnel",
  openTunnel: (parts) =>
    open({ ...parts, endpointOf: () => new URL(endpoint) }),
});
// deno-lint-ignore no-console -- how the test is told
console.log(worker.id);
