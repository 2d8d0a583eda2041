import assert from "node:assert/strict";
import { inClosedNetwork } from "../support/closed_network.ts";
import { natProblem } from "../support/nat_hosts.ts";
import { runToEnd } from "../support/run_to_end.ts";

const why = natProblem === undefined ? "" : `: ${natProblem}`;

Deno.test({
  name:
    `a worker on a host behind NAT serves browsers, also after NAT has forgotten its connections, and leaves nothing behind${why}`,
  ignore: natProblem !== undefined,
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "browsergrid-hosts-" });
    try {
      await inClosedNetwork(new URL("./two_hosts.ts", import.meta.url), [
        folder,
      ]);
      const { out } = await runToEnd("pgrep", ["--full", folder]);
      assert.equal(out, "");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
