/**
 * Builds the files of the dashboard, `src/dashboard/assets/`, from `src/dashboard/page/`: `deno task dashboard`.
 *
 * @module
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** First module of the page. */
export const DASHBOARD_ENTRY = "src/dashboard/page/main.tsx";

/** Style sheets of the page in their order. The first one is the chart library's. */
const STYLES = [
  import.meta.resolve("uplot/dist/uPlot.min.css"),
  ...["base", "layout", "table", "session", "live", "forms"].map((name) =>
    new URL(`../src/dashboard/page/style/${name}.css`, import.meta.url).href
  ),
];

/** Folder of the built files. */
export const ASSETS: string = join(ROOT, "src/dashboard/assets");

/** Returns the text of each file of the dashboard by its name. @throws {Error} If the bundler fails. */
export async function buildDashboard(): Promise<
  Readonly<Record<"app.js" | "app.css", string>>
> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "bundle",
      "--quiet",
      "--platform",
      "browser",
      "--minify",
      DASHBOARD_ENTRY,
    ],
    cwd: ROOT,
  }).output();
  const decoder = new TextDecoder();
  if (!success) {
    throw new Error(
      `Cannot build the dashboard: ${decoder.decode(stderr)}`,
    );
  }
  const styles = await Promise.all(
    STYLES.map((url) => Deno.readTextFile(new URL(url))),
  );
  return { "app.js": decoder.decode(stdout), "app.css": styles.join("\n") };
}

if (import.meta.main) {
  for (const [name, text] of Object.entries(await buildDashboard())) {
    await Deno.writeTextFile(join(ASSETS, name), text);
    // deno-lint-ignore no-console -- its output
    console.log(`${name}: ${(text.length / 1_000).toFixed(1)} KB`);
  }
}
