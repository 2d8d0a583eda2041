import { z } from "@hono/zod-openapi";
import { suggestNearest } from "../../core/nearest.ts";
import { truncate } from "../../core/text.ts";

/** Maximum length of an unknown name that is compared with known names and quoted. */
const MAX_NAME = 100;

/** Makes the message about an unknown member of any schema suggest the nearest known one and list all. */
export function nameKnownMembers(): void {
  z.config({
    customError({ code, keys, inst }) {
      if (code !== "unrecognized_keys" || !(inst instanceof z.ZodObject)) {
        return undefined;
      }
      const known = Object.keys(inst.shape);
      const unknown = truncate(
        String(Array.isArray(keys) ? keys[0] ?? "" : ""),
        MAX_NAME,
      );
      return known.length === 0
        ? `"${unknown}" is unknown, expected no members`
        : `"${unknown}" is unknown${
          suggestNearest(unknown, known) || "."
        } Known are ${known.join(", ")}`;
    },
  });
}
