import { type ReadonlySignal, signal } from "@preact/signals";
import type { LiveMessage } from "../../../../apps/live/schemas/live_messages.ts";

/** Code of a notice of the server, or of this page. */
export type NoticeCode =
  | Extract<LiveMessage, { readonly type: "notice" }>["code"]
  | "page";

/** A sentence for the visitor. */
export interface Notice {
  readonly id: number;
  readonly code: NoticeCode;
  readonly message: string;
  /** Time at which it disappears. */
  readonly until: number;
}

/** Time for which a notice is shown. */
const SHOWN_MS = 8_000;

/** Most notices at once; the oldest disappear first. */
const MAX_NOTICES = 3;

/** Notices about a state of the page, which stay until it ends. */
const LASTING: readonly NoticeCode[] = ["page_hangs", "page_crashed"];

/** The notices that a visitor sees. */
export class Notices {
  readonly #list = signal<readonly Notice[]>([]);
  #nextId = 1;

  /** The notices, the oldest first. Those of the past are left to the reader. */
  get list(): ReadonlySignal<readonly Notice[]> {
    return this.#list;
  }

  /** Adds a notice. A repeated one replaces the first. */
  add(code: NoticeCode, message: string): void {
    if (code === "page_responds") return this.clearLasting();
    const until = LASTING.includes(code) ? Infinity : Date.now() + SHOWN_MS;
    const others = this.#list.value.filter((notice) =>
      notice.message !== message && notice.until > Date.now()
    );
    this.#list.value = [...others, { id: this.#nextId++, code, message, until }]
      .slice(-MAX_NOTICES);
  }

  /** Removes a notice. */
  remove(id: number): void {
    this.#list.value = this.#list.value.filter((notice) => notice.id !== id);
  }

  /** Removes the notices about a state of the page. */
  clearLasting(): void {
    this.#list.value = this.#list.value.filter(({ code }) =>
      !LASTING.includes(code)
    );
  }
}
