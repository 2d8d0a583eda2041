import { type Change, type Resource, StatusError } from "./objects.ts";
import type { ApiCall } from "./http.ts";
import { isSelected } from "./selectors.ts";
import type { Store } from "./store.ts";

/** Pause between bookmarks. A real server sends one a minute. */
const BOOKMARK_MS = 100;

/** The watches of clients. */
export class Watches {
  readonly #store: Store;
  readonly #open = new Set<ApiCall>();
  /** Number of watches that have begun. */
  opened = 0;
  /** Number of bookmarks that were sent. */
  bookmarks = 0;
  /** Number of watches whose version was gone. */
  expired = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Number of open watches. */
  get count(): number {
    return this.#open.size;
  }

  /** Breaks every connection, as a restarted server does. */
  break(): void {
    for (const { response } of this.#open) response.destroy();
  }

  /** Sends changes since the version of the request, until its time is over or it is broken. */
  async serve(
    call: ApiCall,
    resource: Resource,
    namespace: string,
  ): Promise<void> {
    const { response, url } = call;
    const query = url.searchParams;
    response.writeHead(200, { "content-type": "application/json" });
    response.flushHeaders();
    const closed = new Promise<void>((resolve) =>
      response.once("close", () => resolve())
    );
    const send = (type: string, object: unknown) =>
      void response.write(`${JSON.stringify({ type, object })}\n`);
    const sendChange = (change: Change) => {
      const isWanted = change.resource === resource &&
        change.object.metadata.namespace === namespace &&
        isSelected(change.object, query);
      if (isWanted) send(change.type, change.object);
    };
    try {
      const since = Number(query.get("resourceVersion") || this.#store.version);
      this.#store.changesSince(since).forEach(sendChange);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      this.expired++;
      send("ERROR", error.toStatus());
      response.end();
      return await closed;
    }
    this.#open.add(call);
    this.opened++;
    using _subscription = this.#store.subscribe(sendChange);
    const bookmarks = query.get("allowWatchBookmarks") === "true"
      ? setInterval(() => {
        this.bookmarks++;
        send("BOOKMARK", {
          kind: "Pod",
          apiVersion: "v1",
          metadata: { resourceVersion: String(this.#store.version) },
        });
      }, BOOKMARK_MS)
      : undefined;
    const end = setTimeout(
      () => response.end(),
      Number(query.get("timeoutSeconds") ?? 300) * 1_000,
    );
    await closed;
    clearInterval(bookmarks);
    clearTimeout(end);
    this.#open.delete(call);
  }
}
