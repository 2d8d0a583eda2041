/**
 * Attacks a local browser over CDP, as a client of the grid could, and prints the result of each attack as JSON. Runs
 * in a separate network with its own hosts file, see `attacks_test.ts`.
 *
 * @module
 */
import { join } from "node:path";
import { findBoxFolder } from "../../src/providers/local/sandbox/box_folder.ts";
import { ATTACKS } from "./sandbox_attacks.ts";
import { sandboxScene } from "./sandbox_scene.ts";
import { within } from "./within.ts";
import { browserCdp } from "./unix_cdp.ts";

const isBoxed = Deno.args[0] === "boxed";
const results: Record<string, string> = {};
{
  await using scene = await sandboxScene(isBoxed);
  const other = await scene.start("session-2", { isolated: false });
  const victim = await scene.start("session-3");
  const browser = await scene.start("session-1");
  await using cdp = await browserCdp(browser);
  const toSessionFolder = (session: string) =>
    join(scene.folder, "data/local/grid-1/worker-1", session);
  const own = await findBoxFolder(toSessionFolder("session-1"));
  const theirs = await findBoxFolder(toSessionFolder("session-3"));
  for (const [name, attack] of Object.entries(ATTACKS)) {
    const ending = attack({
      cdp,
      scene,
      other: other.endpoint,
      own,
      // The profile of a browser that is not isolated is in its session's folder.
      theirProfile: theirs?.profile ??
        join(toSessionFolder("session-3"), "profile"),
    });
    results[name] = await within(ending, { what: name, ms: 10_000 }).catch((
      error,
    ) => `failed: ${error}`);
  }
  for (const each of [browser, victim, other]) await each.stop(2_000);
  results["nothing is left"] = JSON.stringify(
    await Array.fromAsync(
      Deno.readDir(join(scene.folder, "data/local/grid-1/worker-1")),
    ),
  );
}
// deno-lint-ignore no-console -- the test reads it
console.log(JSON.stringify(results));
