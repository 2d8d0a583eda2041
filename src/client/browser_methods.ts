import type { CallOptions, Transport } from "./transport.ts";

/** A browser, or a page of one, as Chrome describes it; addresses are the grid's. */
export type DevtoolsJson = Readonly<Record<string, unknown>>;

/** Which page. */
export interface TargetQuery {
  /** As in `sessionTargets()`; by default the page that was used last. */
  readonly target_id?: string | undefined;
}

/** How a page is pictured. */
export interface ScreenshotQuery extends TargetQuery {
  /** @default {"png"} */
  readonly format?: "png" | "jpeg" | "webp" | undefined;
  /** Of jpeg and webp, in percent. */
  readonly quality?: number | undefined;
  readonly full_page?: boolean | undefined;
}

/** How a page is printed. */
export interface PdfQuery extends TargetQuery {
  /** @default {"letter"} */
  readonly format?:
    | "a3"
    | "a4"
    | "a5"
    | "letter"
    | "legal"
    | "tabloid"
    | undefined;
  /** Inches, in place of the format's. */
  readonly width?: number | undefined;
  /** Inches, in place of the format's. */
  readonly height?: number | undefined;
  readonly landscape?: boolean | undefined;
  readonly print_background?: boolean | undefined;
  /** 0.1 to 2. */
  readonly scale?: number | undefined;
}

/** Endpoints of sessions' browsers: Chrome's own, and looks at their pages. */
export interface BrowserMethods {
  /** As Chrome's `/json/version`. */
  sessionVersion(id: string, options?: CallOptions): Promise<DevtoolsJson>;
  /** As Chrome's `/json/list`. */
  sessionTargets(
    id: string,
    options?: CallOptions,
  ): Promise<readonly DevtoolsJson[]>;
  /** As Chrome's `/json/protocol`. */
  sessionProtocol(id: string, options?: CallOptions): Promise<DevtoolsJson>;
  /** As Chrome's `/json/new`. @param url Blank by default. */
  newTarget(
    id: string,
    url?: string,
    options?: CallOptions,
  ): Promise<DevtoolsJson>;
  /** As Chrome's `/json/close`, whose words it gives. */
  closeTarget(
    id: string,
    targetId: string,
    options?: CallOptions,
  ): Promise<string>;
  /** As Chrome's `/json/activate`, whose words it gives. */
  activateTarget(
    id: string,
    targetId: string,
    options?: CallOptions,
  ): Promise<string>;
  sessionScreenshot(
    id: string,
    query?: ScreenshotQuery,
    options?: CallOptions,
  ): Promise<Uint8Array<ArrayBuffer>>;
  sessionPdf(
    id: string,
    query?: PdfQuery,
    options?: CallOptions,
  ): Promise<Uint8Array<ArrayBuffer>>;
  /** HTML. */
  sessionContent(
    id: string,
    query?: TargetQuery,
    options?: CallOptions,
  ): Promise<string>;
}

/** The methods over `exchange`. */
export function browserMethods(exchange: Transport): BrowserMethods {
  const { bytes, json, text } = exchange;
  const pathOf = (id: string) => `/v1/sessions/${encodeURIComponent(id)}`;
  const chromeOf = (id: string) => `${pathOf(id)}/cdp/json`;
  return {
    sessionVersion: (id, options) =>
      json("GET", `${chromeOf(id)}/version`, options),
    sessionTargets: (id, options) =>
      json("GET", `${chromeOf(id)}/list`, options),
    sessionProtocol: (id, options) =>
      json("GET", `${chromeOf(id)}/protocol`, options),
    newTarget: (id, url = "", options = {}) =>
      json("PUT", `${chromeOf(id)}/new?${encodeURIComponent(url)}`, options),
    closeTarget: (id, targetId, options) =>
      text(
        "GET",
        `${chromeOf(id)}/close/${encodeURIComponent(targetId)}`,
        options,
      ),
    activateTarget: (id, targetId, options) =>
      text(
        "GET",
        `${chromeOf(id)}/activate/${encodeURIComponent(targetId)}`,
        options,
      ),
    sessionScreenshot: (id, query, options) =>
      bytes("GET", `${pathOf(id)}/screenshot`, {
        ...options,
        query: { ...query },
      }),
    sessionPdf: (id, query, options) =>
      bytes("GET", `${pathOf(id)}/pdf`, { ...options, query: { ...query } }),
    sessionContent: (id, query, options) =>
      text("GET", `${pathOf(id)}/content`, { ...options, query: { ...query } }),
  };
}
