import type { CallOptions, Transport } from "./transport.ts";

/** An object in the form of Chrome's HTTP endpoints. URLs are those of the grid. */
export type DevtoolsJson = Readonly<Record<string, unknown>>;

/** Selects a page of a session. */
export interface TargetQuery {
  /** Id from `listSessionTargets()`; by default the page that was used last. */
  readonly target_id?: string | undefined;
}

/** Options of a screenshot. */
export interface ScreenshotQuery extends TargetQuery {
  /** Format of the image. @default {"png"} */
  readonly format?: "png" | "jpeg" | "webp" | undefined;
  /** Quality of jpeg and webp, in percent. */
  readonly quality?: number | undefined;
  /** Captures the whole page instead of the visible part. */
  readonly full_page?: boolean | undefined;
}

/** Options of a PDF. */
export interface PdfQuery extends TargetQuery {
  /** Format of the paper. @default {"letter"} */
  readonly format?:
    | "a3"
    | "a4"
    | "a5"
    | "letter"
    | "legal"
    | "tabloid"
    | undefined;
  /** Width of the paper in inches, instead of the width of the format. */
  readonly width?: number | undefined;
  /** Height of the paper in inches, instead of the height of the format. */
  readonly height?: number | undefined;
  /** Prints in landscape format. */
  readonly landscape?: boolean | undefined;
  /** Prints background colours and images. */
  readonly print_background?: boolean | undefined;
  /** Scale, from 0.1 to 2. */
  readonly scale?: number | undefined;
}

/** Endpoints of sessions' browsers: Chrome's own endpoints, and captures of pages. */
export interface BrowserMethods {
  /** Returns the browser's version, like Chrome's `/json/version`. */
  getSessionVersion(id: string, options?: CallOptions): Promise<DevtoolsJson>;
  /** Lists the pages of a session, like Chrome's `/json/list`. */
  listSessionTargets(
    id: string,
    options?: CallOptions,
  ): Promise<readonly DevtoolsJson[]>;
  /** Returns the description of the protocol, like Chrome's `/json/protocol`. */
  getSessionProtocol(id: string, options?: CallOptions): Promise<DevtoolsJson>;
  /**
   * Opens a page, like Chrome's `/json/new`.
   *
   * @param url Blank page by default.
   */
  openTarget(
    id: string,
    url?: string,
    options?: CallOptions,
  ): Promise<DevtoolsJson>;
  /** Closes a page, and returns the text of Chrome's `/json/close`. */
  closeTarget(
    id: string,
    targetId: string,
    options?: CallOptions,
  ): Promise<string>;
  /** Brings a page to the front, and returns the text of Chrome's `/json/activate`. */
  activateTarget(
    id: string,
    targetId: string,
    options?: CallOptions,
  ): Promise<string>;
  /** Captures a page as an image. */
  getSessionScreenshot(
    id: string,
    query?: ScreenshotQuery,
    options?: CallOptions,
  ): Promise<Uint8Array<ArrayBuffer>>;
  /** Prints a page as a PDF. */
  getSessionPdf(
    id: string,
    query?: PdfQuery,
    options?: CallOptions,
  ): Promise<Uint8Array<ArrayBuffer>>;
  /** Returns the HTML of a page. */
  getSessionContent(
    id: string,
    query?: TargetQuery,
    options?: CallOptions,
  ): Promise<string>;
}

/** Creates the methods over `transport`. */
export function createBrowserMethods(transport: Transport): BrowserMethods {
  const buildPath = (id: string) => `/v1/sessions/${encodeURIComponent(id)}`;
  const buildChromePath = (id: string) => `${buildPath(id)}/cdp/json`;
  return {
    getSessionVersion: (id, options) =>
      transport.json("GET", `${buildChromePath(id)}/version`, options),
    listSessionTargets: (id, options) =>
      transport.json("GET", `${buildChromePath(id)}/list`, options),
    getSessionProtocol: (id, options) =>
      transport.json("GET", `${buildChromePath(id)}/protocol`, options),
    openTarget: (id, url = "", options = {}) =>
      transport.json(
        "PUT",
        `${buildChromePath(id)}/new?${encodeURIComponent(url)}`,
        options,
      ),
    closeTarget: (id, targetId, options) =>
      transport.text(
        "GET",
        `${buildChromePath(id)}/close/${encodeURIComponent(targetId)}`,
        options,
      ),
    activateTarget: (id, targetId, options) =>
      transport.text(
        "GET",
        `${buildChromePath(id)}/activate/${encodeURIComponent(targetId)}`,
        options,
      ),
    getSessionScreenshot: (id, query, options) =>
      transport.bytes("GET", `${buildPath(id)}/screenshot`, {
        ...options,
        query: { ...query },
      }),
    getSessionPdf: (id, query, options) =>
      transport.bytes("GET", `${buildPath(id)}/pdf`, {
        ...options,
        query: { ...query },
      }),
    getSessionContent: (id, query, options) =>
      transport.text("GET", `${buildPath(id)}/content`, {
        ...options,
        query: { ...query },
      }),
  };
}
