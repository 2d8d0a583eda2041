import assert from "node:assert/strict";
import { findBrowser } from "../../../../src/providers/local/find_browser.ts";
import { checkBoxSupport } from "../../../../src/providers/local/sandbox/box_support.ts";
import {
  inOwnNetwork,
  ownNetworkProblem,
} from "../../../support/own_network.ts";
import { ATTACKS } from "../../../support/sandbox_attacks.ts";

const ability = await checkBoxSupport();
const skip = ownNetworkProblem ??
  ("problem" in ability ? ability.problem : undefined) ??
  (await findBrowser(undefined) ? undefined : "no Chrome or Chromium here");

const NOT_FOUND = /^(net::ERR_FILE_NOT_FOUND\n?)+$/;
const REJECTED =
  /^(Cannot connect to \S+: it is an? [\w -]+, and the egress of work pool "crawlers" is no_private, expected an entry of the pool's egress_allow\n?)+$/;

/** Result of each attack, on a browser that is not isolated and on one that is. */
const EXPECTED: Readonly<Record<string, readonly [RegExp, RegExp]>> = {
  "read a file of the host": [/^HOST-SECRET$/, NOT_FOUND],
  "read files of the system": [/root:x:0/, NOT_FOUND],
  "read another session's profile and the sockets": [
    /DevToolsActivePort/,
    NOT_FOUND,
  ],
  "upload a file of the host": [/^HOST-SECRET$/, /^NotFoundError/],
  "write to folders of the host by a download": [
    /^WRITTEN WRITTEN$/,
    /^not on host not on host$/,
  ],
  "download into its own profile": [/^WRITTEN$/, /^WRITTEN$/],
  "fill the memory of the host by downloads": [
    /^not tried$/,
    /^(canceled ?){6}$/,
  ],
  "reach the loopback of the host": [/^(HOST-SECRET\n?){6}$/, REJECTED],
  "reach the host's own addresses": [/^(HOST-SECRET\n?){3}$/, REJECTED],
  "reach the loopback by a name that leads there": [/^HOST-SECRET$/, REJECTED],
  "take over another browser by its port": [
    /webSocketDebuggerUrl[^]*\{"id":1,"result":\{"protocolVersion"/,
    /^Cannot connect to \S+ it is a loopback address[^]* no socket$/,
  ],
  "go around the proxy by a context of its own": [
    /^HOST-SECRET\nHOST-SECRET\n/,
    /^(net::ERR_(CONNECTION_REFUSED|INTERNET_DISCONNECTED|PROXY_CONNECTION_FAILED)\n?){3}$/,
  ],
  "find addresses by WebRTC": [/^[1-9]\d* candidates$/, /^0 candidates$/],
  "reach its own debugging port from a page": [
    /webSocketDebuggerUrl[^]*webSocketDebuggerUrl/,
    REJECTED,
  ],
  "visit the allowed site": [
    /^SITE-OK hello-ws 300$/,
    /^SITE-OK hello-ws 300$/,
  ],
  "visit the allowed site's host at another port": [/^HOST-SECRET$/, REJECTED],
  "its own sandbox": [/^off$/, /^on$/],
  "nothing is left": [/^\[\]$/, /^\[\]$/],
};

for (
  const [who, isBoxed, asRoot] of [
    ["a browser of root's worker that is not isolated", false, true],
    ["an isolated browser of root's worker", true, true],
    ["an isolated browser of an ordinary user's worker", true, false],
  ] as const
) {
  const name = `results of attacks over CDP on ${who}`;
  if (skip !== undefined) {
    // deno-lint-ignore no-console -- the reason of a skipped test is its result
    console.log(`skipped: ${name}: ${skip}`);
  }
  Deno.test({
    name,
    ignore: skip !== undefined,
    async fn() {
      const args = [isBoxed ? "boxed" : "plain"];
      const printed = await inOwnNetwork("sandbox_attack.ts", { args, asRoot });
      const results = JSON.parse(printed);
      assert.deepEqual(
        Object.keys(results).sort(),
        Object.keys(EXPECTED).sort(),
      );
      for (const [attack, result] of Object.entries(results)) {
        const expected = EXPECTED[attack]?.[isBoxed ? 1 : 0];
        assert.match(String(result), expected ?? assert.fail(), attack);
        if (isBoxed) assert.doesNotMatch(String(result), /HOST-SECRET/, attack);
      }
      assert.ok(
        Object.keys(ATTACKS).length + 1 === Object.keys(results).length,
      );
    },
  });
}
