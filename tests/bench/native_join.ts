import {
  LIBRARY_PATH,
  openJoinLibrary,
} from "../../src/gateway/stream/native/join_library.ts";
import { givenGrid } from "../support/given_grid.ts";
import { defineBenchmark } from "./benchmark.ts";
import { MIN_RUNS } from "./figure.ts";
import { BUSY_MAIN_THREAD, compareSides, listSides } from "./gateway.ts";
import {
  BUSY_MEASUREMENT,
  EVALUATE,
  NATIVE_FIGURES,
} from "./gateway_figures.ts";
import { startLocalBrowser } from "./local_browser.ts";

/** The gateway with the native join. */
export const benchmark = defineBenchmark({
  title: "The gateway with the native join",
  method:
    "As above, with the native join, which `deno task native` builds. Only the server uses it; a worker's tunnel does not.",
  figures: NATIVE_FIGURES,
  async *measure() {
    requireLibrary();
    for (let run = 0; run < MIN_RUNS; run++) {
      await using chromium = await startLocalBrowser();
      const { href } = chromium.endpoint;
      {
        await using grid = await givenGrid();
        await grid.worker("direct");
        await grid.worker("tunnel");
        const sides = await listSides(grid, href);
        yield await compareSides(NATIVE_FIGURES, EVALUATE, sides);
      }
      await using busy = await givenGrid({
        args: ["--plugin", BUSY_MAIN_THREAD],
      });
      await busy.worker("direct");
      yield await compareSides(NATIVE_FIGURES, BUSY_MEASUREMENT, {
        direct: href,
        gateway: await busy.session("direct", href),
      });
    }
  },
});

function requireLibrary(): void {
  const library = openJoinLibrary(LIBRARY_PATH);
  if (!library) throw new Error("Cannot measure: run `deno task native` first");
  library.close();
}
