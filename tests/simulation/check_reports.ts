import { z } from "@hono/zod-openapi";
import type { Answer, Exchange } from "./message.ts";
import { Violation } from "./violation.ts";
import type { World } from "./world.ts";

const sentSchema = z.object({
  sessions: z.array(
    z.object({
      session_id: z.string(),
      fencing_token: z.number(),
      status: z.string(),
    }),
  ).default([]),
});

const answeredSchema = z.object({
  reports: z.array(z.object({ session_id: z.string(), result: z.string() })),
});

/** A report with an older fencing token is never accepted, and no request ends in an unexpected error. */
export class ReportCheck {
  readonly #world: World;
  /** Reports that were stale when they arrived. */
  readonly #stale = new WeakMap<Exchange, ReadonlySet<string>>();

  constructor(world: World) {
    this.#world = world;
  }

  onRequest(exchange: Exchange): void {
    if (!exchange.path.endsWith("/heartbeat") || !exchange.body) return;
    const { sessions } = sentSchema.parse(JSON.parse(exchange.body));
    const stale = sessions.filter(({ session_id, fencing_token, status }) => {
      const entry = this.#world.ledger.sessions.get(session_id);
      // A report of a returned session is accepted and changes nothing.
      return status !== "released" && entry !== undefined &&
        fencing_token < entry.fencing_token;
    });
    this.#stale.set(exchange, new Set(stale.map((each) => each.session_id)));
  }

  onAnswer(exchange: Exchange, { status, text }: Answer): void {
    if (status === 500) {
      throw new Violation(
        "No request ends in an unexpected error",
        `${exchange.method} ${exchange.path} of ${exchange.from.name}: ${text}`,
      );
    }
    const stale = this.#stale.get(exchange);
    if (!stale?.size || status !== 200) return;
    const { reports } = answeredSchema.parse(JSON.parse(text));
    const accepted = reports.find(({ session_id, result }) =>
      result === "accepted" && stale.has(session_id)
    );
    if (!accepted) return;
    throw new Violation(
      "A report under an older fencing token is never accepted",
      `${accepted.session_id}, from ${exchange.from.name}`,
    );
  }
}
