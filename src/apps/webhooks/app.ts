import { defineApp } from "../../core/app.ts";
import { handoverApp } from "../handover/app.ts";
import { sessionsApp } from "../sessions/app.ts";
import { workersApp } from "../workers/app.ts";
import { WEBHOOK_EVENT_TYPES } from "./event_types.ts";
import { webhookProblems } from "./problems.ts";
import type { WebhookService } from "./service.ts";
import { startWhenUsed } from "./start_when_used.ts";
import { hasWebhooks } from "./store/has_webhooks.ts";

/** Periodic work on webhooks, on a server that has found one. */
export interface WebhookUpkeep {
  /** Deletes old deliveries. Returns how many changed; 0 on a server that has found no webhook yet. */
  prune(): Promise<number>;
  /** Inserts deliveries for queues that have become long. Returns their number; 0 likewise. */
  checkQueues(): Promise<number>;
}

/** Webhooks: signed requests to receivers for events of the grid. Without webhooks, hardly any of it is loaded. */
export const webhooksApp = defineApp<WebhookUpkeep>({
  name: "webhooks",
  verboseName: "Webhooks",
  problems: webhookProblems,
  eventTypes: WEBHOOK_EVENT_TYPES,
  setup(core) {
    const neighbours = {
      handovers: core.use(handoverApp),
      sessions: core.use(sessionsApp),
      workers: core.use(workersApp),
    };
    const results = core.metrics.counter({
      name: "browsergrid_webhook_deliveries_total",
      help: "Attempts to deliver events to webhooks",
      labels: {
        result:
          "delivered, retried (failed, to be repeated), failed (the last)",
      },
      scope: "process",
    });
    let service: Promise<WebhookService> | undefined;
    const load = () => service ??= loadService();
    async function loadService() {
      const { WebhookService } = await import("./service.ts");
      return new WebhookService(core, { ...neighbours, results });
    }
    return {
      manager: {
        prune: async () => await (await service)?.manager.prune() ?? 0,
        checkQueues: async () => await (await service)?.queues.check() ?? 0,
      },
      routesOnDemand: {
        paths: [
          "/v1/webhooks",
          "/v1/workerpool/workers/:worker_id/browser-events",
        ],
        load: async () => ({ routes: { v1: (await load()).createRoutes() } }),
      },
      tags: { Webhooks: "Signed requests to receivers for events of the grid" },
      async protectSecrets() {
        if (!await hasWebhooks(core.db)) return 0;
        return await (await load()).protectSecrets();
      },
      ready: () =>
        startWhenUsed(
          core,
          async () => (await load()).startDispatcher(),
        ),
    };
  },
});
