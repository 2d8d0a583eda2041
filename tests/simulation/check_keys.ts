import { z } from "@hono/zod-openapi";
import type { Change } from "./ledger.ts";
import { Violation } from "./violation.ts";

/** Users label what they ask for with a key by it. */
const labelsSchema = z.object({ key: z.string().optional() });

/** An idempotency key has one session, however often it was asked for. */
export class KeyCheck {
  readonly #sessions = new Map<string, string>();

  onChange({ kind, after: { id, labels } }: Change): void {
    if (kind !== "insert") return;
    const { key } = labelsSchema.parse(JSON.parse(labels));
    if (key === undefined) return;
    const other = this.#sessions.get(key);
    if (other !== undefined) {
      throw new Violation(
        "An idempotency key has one session",
        `${key} has ${other} and ${id}`,
      );
    }
    this.#sessions.set(key, id);
  }
}
