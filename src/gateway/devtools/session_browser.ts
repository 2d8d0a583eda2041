import type { Context } from "hono";
import type { z } from "@hono/zod-openapi";
import type { GridEnv } from "../../core/middleware.ts";
import type { BrowserRequest } from "../browser_http.ts";
import type { Dialer } from "../dialer.ts";
import { requestDevtools, requestDevtoolsJson } from "./browser_http_client.ts";
import {
  type ConnectUrlBuilder,
  createConnectUrlBuilder,
} from "./connect_url_builder.ts";
import { type DevtoolsContext, resolveDialer } from "./devtools_context.ts";

/** A request that ends when the client disconnects. */
type ClientRequest = Omit<BrowserRequest, "signal">;

/** The browser of a session, for the client of a request. */
export class SessionBrowser {
  readonly #dialer: Dialer;
  readonly #signal: AbortSignal;
  readonly #createUrls: () => Promise<ConnectUrlBuilder>;

  private constructor(
    dialer: Dialer,
    signal: AbortSignal,
    createUrls: () => Promise<ConnectUrlBuilder>,
  ) {
    this.#dialer = dialer;
    this.#signal = signal;
    this.#createUrls = createUrls;
  }

  /** Waits for a session that has not started yet. @throws {GridError} As {@linkcode resolveDialer}. */
  static async open(
    context: DevtoolsContext,
    c: Context<GridEnv>,
    id: string,
  ): Promise<SessionBrowser> {
    return new SessionBrowser(
      await resolveDialer(context, c, id),
      c.req.raw.signal,
      () => createConnectUrlBuilder(context, c, id),
    );
  }

  /** Returns the body of the response. @throws {GridError} As {@linkcode requestDevtools}. */
  async request(request: ClientRequest): Promise<string> {
    const signal = this.#signal;
    return (await requestDevtools(this.#dialer, { ...request, signal })).body;
  }

  /** Returns the parsed body of the response. @throws {GridError} As {@linkcode requestDevtoolsJson}. */
  async requestJson<T>(
    request: ClientRequest & { readonly schema: z.ZodType<T> },
  ): Promise<T> {
    const signal = this.#signal;
    return await requestDevtoolsJson(this.#dialer, { ...request, signal });
  }

  /** Creates the URLs at which the client connects to the browser. */
  async createUrls(): Promise<ConnectUrlBuilder> {
    return await this.#createUrls();
  }
}
