import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Core } from "../../core/app.ts";
import type { Counter } from "../../core/metrics/counter.ts";
import type { GridEnv } from "../../core/middleware.ts";
import { createRouter } from "../../http/router.ts";
import type { HandoverManager } from "../handover/manager.ts";
import type { SessionManager } from "../sessions/manager.ts";
import type { WorkerManager } from "../workers/manager.ts";
import { createBrowserEventRoutes } from "./api/v1/browser_events.ts";
import { createDeliveryRoutes } from "./api/v1/deliveries.ts";
import { createWebhookRoutes } from "./api/v1/webhooks.ts";
import { BrowserEventManager } from "./browser_event_manager.ts";
import { Dispatcher } from "./delivery/dispatcher.ts";
import { DeliveryManager } from "./delivery_manager.ts";
import { WebhookManager } from "./manager.ts";
import { QueueMonitor } from "./queue_monitor.ts";
import { WebhookSecrets } from "./secrets.ts";
import { encryptWebhooks } from "./store/encrypt.ts";

/** The managers of other apps, and the metric, that webhooks need. */
export interface WebhookNeighbours {
  readonly handovers: Pick<HandoverManager, "findLinkToken">;
  readonly sessions: SessionManager;
  readonly workers: WorkerManager;
  /** Counts attempts by their result. */
  readonly results: Counter;
}

/** The parts of the app that only servers with webhooks load. */
export class WebhookService {
  readonly manager: WebhookManager;
  readonly queues: QueueMonitor;
  readonly #core: Core;
  readonly #neighbours: WebhookNeighbours;
  readonly #secrets: WebhookSecrets;

  constructor(core: Core, neighbours: WebhookNeighbours) {
    this.#core = core;
    this.#neighbours = neighbours;
    this.#secrets = new WebhookSecrets(core.secrets);
    this.queues = new QueueMonitor(core);
    this.manager = new WebhookManager(core, this.#secrets);
  }

  /** Creates the endpoints. */
  createRoutes(): OpenAPIHono<GridEnv> {
    const core = this.#core;
    const { workers } = this.#neighbours;
    return createRouter()
      .route("/", createWebhookRoutes(core, this.manager))
      .route("/", createDeliveryRoutes(new DeliveryManager(core)))
      .route(
        "/",
        createBrowserEventRoutes(new BrowserEventManager(core, workers)),
      );
  }

  /** Encrypts secrets with the current key. See `InstalledApp.protectSecrets`. */
  protectSecrets(): Promise<number> {
    return encryptWebhooks(this.#core.db, this.#secrets);
  }

  /** Starts to send deliveries, until disposed. */
  startDispatcher(): AsyncDisposable {
    const core = this.#core;
    const { handovers, sessions, results } = this.#neighbours;
    return new Dispatcher({
      core,
      clock: core.clock,
      settings: core.settings,
      secrets: this.#secrets,
      results,
      async issueConnectUrl(id) {
        const url = sessions.buildConnectUrl(id, core.publicUrl());
        return `${url}?token=${await core.auth.connectTokens.issue(id)}`;
      },
      async findLiveUrl(handoverId) {
        const token = await handovers.findLinkToken(handoverId);
        return token && `${core.publicUrl()}/live#${token}`;
      },
    });
  }
}
