/**
 * A server over SQLite under a mixed load of the API: gets, lists, creates, ends, heartbeats and claims, 1,000 a
 * second.
 *
 * Prints rate and quantiles; ends with code 1 if a limit is passed or a request was refused.
 *
 * @module
 */
import { z } from "@hono/zod-openapi";
import { startProgram } from "../support/program.ts";
import { print } from "./times.ts";

const RATE = 1_000;
const SECONDS = 20;
const P99_LIMIT_MS = 50;
/** Share of the request rate at which responses must arrive; the last ones may be late. */
const RATE_LIMIT = 0.99 * RATE;

const quantilesSchema = z.object({
  count: z.int().optional(),
  p50_ms: z.number(),
  p99_ms: z.number(),
  max_ms: z.number(),
});
const resultSchema = quantilesSchema.extend({
  requests: z.int(),
  per_second: z.number(),
  failures: z.record(z.string(), z.int()),
  by_request: z.record(z.string(), quantilesSchema),
});

type Result = z.infer<typeof resultSchema>;

const result = await measure();
const { per_second, p50_ms, p99_ms, max_ms, failures } = result;
for (const [name, each] of Object.entries(result.by_request)) {
  print(
    `  ${name.padEnd(15)} ${
      String(each.count).padStart(6)
    }  p50 ${each.p50_ms} ms, p99 ${each.p99_ms} ms`,
  );
}
print(
  `${per_second.toFixed(0)} requests a second (asked for ${RATE}); ` +
    `p50 ${p50_ms} ms, p99 ${p99_ms} ms (limit ${P99_LIMIT_MS} ms), longest ${max_ms} ms`,
);
const isRefused = Object.keys(failures).length > 0;
if (isRefused) print(`refused: ${JSON.stringify(failures)}`);
const isOk = !isRefused && per_second >= RATE_LIMIT && p99_ms < P99_LIMIT_MS;
Deno.exit(isOk ? 0 : 1);

async function measure(): Promise<Result> {
  const dataDir = await Deno.makeTempDir({ prefix: "browsergrid-bench-" });
  try {
    await using server = startProgram(
      ["serve", "--port", "0", "--data-dir", dataDir],
      { BROWSERGRID_LOG_LEVEL: "warning" },
    );
    const [, url = ""] = await server.until(/API +(\S+)\/v1/);
    const { success, stdout } = await new Deno.Command("node", {
      args: [
        new URL("api_load.mjs", import.meta.url).pathname,
        url,
        String(RATE),
        String(SECONDS),
      ],
      stdout: "piped",
      stderr: "inherit",
    }).output();
    if (!success) throw new Error("The load could not be made");
    return resultSchema.parse(JSON.parse(new TextDecoder().decode(stdout)));
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
}
