import { z } from "@hono/zod-openapi";
import { suggestNearest } from "../../core/nearest.ts";
import { truncate } from "../../core/text.ts";

/** Maximum length of a member's name that is compared with the known ones and repeated. */
const MAX_NAME = 100;

/** Has every schema say of a member that it does not know which one may be meant, and which it knows. */
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
