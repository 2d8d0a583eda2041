/**
 * Cold start: from `connect` to the browser's first answer, beside `puppeteer.launch()` on the same machine.
 *
 * Both are timed in turn in one Node process, so that whatever else the machine does hits both alike. Prints medians in
 * milliseconds and their ratio; ends with code 1 if the ratio is above the limit.
 *
 * @module
 */
import { findBrowser } from "../../src/providers/local/find_browser.ts";
import { clientProgram, runNode } from "../support/node_client.ts";
import { startProgram } from "../support/program.ts";
import { print, quantile, report } from "./times.ts";

const ROUNDS = 25;
const LIMIT = 1.2;

const found = await findBrowser(undefined);
if (!found) throw new Error("Cannot measure: no Chrome or Chromium is here");
const dataDir = await Deno.makeTempDir({ prefix: "browsergrid-bench-" });
let ratio = Infinity;
try {
  await using grid = startProgram(
    ["serve", "--with-worker", "--port", "0", "--data-dir", dataDir],
  );
  const [, connectUrl = ""] = await grid.until(/Connect +(ws:\S+)/);
  const source = await clientProgram("cold_start.mjs");
  const { stdout, stderr, code } = await runNode(source, [
    connectUrl,
    found.path,
    String(ROUNDS),
  ]);
  if (code !== 0) throw new Error(stderr);
  const { launch, connect }: Record<"launch" | "connect", number[]> = JSON
    .parse(stdout);
  ratio = quantile(connect, 0.5) / quantile(launch, 0.5);
  report("puppeteer.launch()", launch);
  report("connect to the grid", connect);
  print(`ratio of medians: ${ratio.toFixed(2)} (limit ${LIMIT})`);
} finally {
  await Deno.remove(dataDir, { recursive: true });
}
Deno.exit(ratio <= LIMIT ? 0 : 1);
