import { StartWhenUsed } from "../../async/start_when_used.ts";
import type { Core } from "../../core/app.ts";
import { createLogger } from "../../core/log.ts";
import { hasWebhooks } from "./store/has_webhooks.ts";

const log = createLogger("apps", "webhooks");

/** Type of the events of the bus after a webhook has changed. */
export const WEBHOOK_CHANGED = "webhook_changed";

/** Starts a part of the app as soon as the grid has a webhook, and at once for one of this server. Disposal ends it. */
export function startWhenUsed(
  { bus, clock, db }: Pick<Core, "bus" | "clock" | "db">,
  start: () => Promise<AsyncDisposable>,
): AsyncDisposable {
  const stack = new AsyncDisposableStack();
  const part = stack.use(
    new StartWhenUsed({
      clock,
      isUsed: () => hasWebhooks(db),
      start,
      onFailure: (error) =>
        log.error("Sending webhooks cannot start: {error}", { error }),
    }),
  );
  stack.use(
    bus.subscribe(({ type }) => {
      if (type === WEBHOOK_CHANGED) void part.startOnce();
    }),
  );
  return stack;
}
