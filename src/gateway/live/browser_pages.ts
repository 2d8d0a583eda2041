import type { LiveTab } from "../../apps/live/schemas/live_messages.ts";
import { every } from "../../async/every.ts";
import type { BrowserEvent } from "./browser_commands.ts";
import { LivePage, type PageEnvironment } from "./page/live_page.ts";
import {
  targetIdSchema,
  type TargetInfo,
  targetInfoSchema,
  targetInfosSchema,
} from "./page/page_events.ts";

/** Filter of targets. */
const PAGES = [{ type: "page" }];

/** Maximum number of pages that viewers see; further ones are not listed. */
const MAX_PAGES = 100;

/** Interval in which titles are read: browsers report a navigation, but no title that a script changes. */
const TITLES_MS = 2_000;

/** Environment of {@linkcode BrowserPages}. */
export interface PagesEnvironment extends PageEnvironment {
  readonly onOpen: (page: LivePage) => void;
  /** Called before a page is disposed, which is no longer listed. */
  readonly onClose: (page: LivePage) => void;
}

/** The pages of a browser, in the order in which they opened. Disposal ends their screencasts. */
export class BrowserPages implements Disposable {
  readonly #environment: PagesEnvironment;
  readonly #pages = new Map<string, LivePage>();
  readonly #bySession = new Map<string, LivePage>();
  readonly #titles: AsyncDisposable;

  /** Asks the browser for its pages, and for changes to them. */
  constructor(environment: PagesEnvironment) {
    this.#environment = environment;
    environment.link.post({
      method: "Target.setDiscoverTargets",
      params: { discover: true, filter: PAGES },
    });
    this.#titles = every(() => this.#readTitles(), {
      clock: environment.clock,
      periodMs: TITLES_MS,
    });
  }

  get all(): readonly LivePage[] {
    return [...this.#pages.values()];
  }

  find(id: string | undefined): LivePage | undefined {
    return id === undefined ? undefined : this.#pages.get(id);
  }

  /** Returns the newest page that is shown in its window; else the newest page. */
  findNewest(): LivePage | undefined {
    const pages = this.all;
    return pages.findLast(({ screencast }) => screencast.isVisible) ??
      pages.at(-1);
  }

  /** Returns the list of tabs. */
  render(): readonly LiveTab[] {
    return this.all.map(({ info, screencast }) => ({
      id: info.targetId,
      title: info.title,
      url: info.url,
      is_visible: screencast.isVisible,
      opener_id: info.openerId ?? null,
    }));
  }

  /** Handles an event of the browser or of a page. @throws {Error} If its parameters are invalid. */
  receive(event: BrowserEvent): void {
    const { method, params, sessionId } = event;
    if (sessionId !== undefined) {
      return this.#bySession.get(sessionId)?.receive(event);
    }
    switch (method) {
      case "Target.targetCreated":
        return this.#add(targetInfoSchema.parse(params).targetInfo);
      case "Target.targetInfoChanged": {
        const { targetInfo } = targetInfoSchema.parse(params);
        const page = this.find(targetInfo.targetId);
        // It was one too many when it opened.
        return page ? page.update(targetInfo) : this.#add(targetInfo);
      }
      case "Target.targetDestroyed":
        return this.#remove(targetIdSchema.parse(params).targetId);
      case "Target.targetCrashed":
        return this.find(targetIdSchema.parse(params).targetId)?.tellCrashed();
    }
  }

  [Symbol.dispose](): void {
    void this.#titles[Symbol.asyncDispose]();
    for (const page of this.#pages.values()) page[Symbol.dispose]();
  }

  #add(info: TargetInfo): void {
    const isNew = info.type === "page" && !this.#pages.has(info.targetId);
    if (!isNew || this.#pages.size >= MAX_PAGES) return;
    const page = new LivePage(this.#environment, info);
    this.#pages.set(page.id, page);
    void page.attach().then(() => {
      const { sessionId } = page;
      if (sessionId !== undefined) this.#bySession.set(sessionId, page);
    });
    this.#environment.onOpen(page);
  }

  #remove(id: string): void {
    const page = this.#pages.get(id);
    if (!page) return;
    this.#pages.delete(id);
    if (page.sessionId !== undefined) this.#bySession.delete(page.sessionId);
    this.#environment.onClose(page);
    page[Symbol.dispose]();
  }

  async #readTitles(): Promise<void> {
    const { targetInfos } = await this.#environment.link.call({
      method: "Target.getTargets",
      params: { filter: PAGES },
      result: targetInfosSchema,
    });
    for (const info of targetInfos) {
      const page = this.find(info.targetId);
      if (page && page.info.title !== info.title) page.update(info);
    }
  }
}
