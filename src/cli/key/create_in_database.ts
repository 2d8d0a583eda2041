import type { NewKeyWire } from "../../apps/keys/schemas.ts";
import type { KeyBody } from "../../client/client.ts";
import { openGrid } from "../../server/grid.ts";
import type { CommandContext } from "../command.ts";
import { resolveDatabaseSettings } from "../database_file.ts";
import type { DatabaseOptions } from "../options/shared_options.ts";
import { VERSION } from "../version.ts";

/** Creates a key in the database, without a server: for operators who have no admin key yet, or have lost it. */
export async function createKeyInDatabase(
  body: KeyBody,
  options: DatabaseOptions,
  { output, loadInstalled }: CommandContext,
): Promise<NewKeyWire> {
  const settings = await resolveDatabaseSettings(options, output);
  await Deno.mkdir(settings.data_dir, { recursive: true });
  await using grid = await openGrid(settings, {
    ...await loadInstalled(),
    version: VERSION,
  });
  return await grid.keys().create(body);
}
