import { eventually } from "./eventually.ts";
import { freePort } from "./free_port.ts";
import { runCommandWithInput } from "./run_with_input.ts";

/** Why Debian's package prometheus cannot be used here; undefined if it can. */
export const prometheusMissing: string | undefined = await whyMissing();

/** Runs promtool with a text as its input. */
export async function runPromtool(
  args: readonly string[],
  input = "",
): Promise<{ readonly success: boolean; readonly text: string }> {
  const { code, stdout, stderr } = await runCommandWithInput(
    "promtool",
    args,
    input,
  );
  return { success: code === 0, text: stdout + stderr };
}

/** A Prometheus that scrapes one server. */
export interface Prometheus extends AsyncDisposable {
  /** Returns the values of a query by their labels, once there are any. */
  query(
    query: string,
  ): Promise<readonly { readonly metric: object; readonly value: number }[]>;
}

/** Starts a Prometheus that scrapes `target` every second with `key`. */
export async function startPrometheus(
  target: string,
  key: string,
): Promise<Prometheus> {
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "browsergrid-prometheus-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const port = freePort();
  const config = {
    global: { scrape_interval: "1s" },
    scrape_configs: [{
      job_name: "browsergrid",
      authorization: { credentials: key },
      static_configs: [{ targets: [new URL(target).host] }],
    }],
  };
  await Deno.writeTextFile(`${folder}/config.yml`, JSON.stringify(config));
  const process = new Deno.Command("prometheus", {
    args: [
      `--config.file=${folder}/config.yml`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  stack.defer(async () => {
    process.kill("SIGTERM");
    await process.status;
  });
  const owned = stack.move();
  return {
    query: (query) =>
      eventually(`Prometheus answers ${query}`, async () => {
        const url = new URL(`http://127.0.0.1:${port}/api/v1/query`);
        url.searchParams.set("query", query);
        const { data } = await (await fetch(url)).json();
        const found: readonly { metric: object; value: [number, string] }[] =
          data.result;
        return found.length > 0 && found.map(({ metric, value: [, text] }) => ({
          metric,
          value: Number(text),
        }));
      }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function whyMissing(): Promise<string | undefined> {
  for (const program of ["promtool", "prometheus"]) {
    try {
      await new Deno.Command(program, {
        args: ["--version"],
        stdout: "null",
        stderr: "null",
      }).output();
    } catch {
      return `there is no ${program} here`;
    }
  }
}
