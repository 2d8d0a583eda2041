import puppeteer, { type Browser, type Page } from "puppeteer-core";
import { within } from "./within.ts";

/** A page of its own that no other test opens. */
const ADDRESS = "data:text/html,<title>marked</title>";

/** Longest time for a browser to answer. */
const PATIENCE_MS = 20_000;

/** A client that hangs up at the end of its scope; the browser goes on. */
export async function connectTo(
  connectUrl: string,
): Promise<Browser & AsyncDisposable> {
  const connecting = puppeteer.connect({
    browserWSEndpoint: connectUrl,
    defaultViewport: null,
    protocolTimeout: PATIENCE_MS,
  });
  // The library waits indefinitely for the pages of a browser that dies during the call.
  const what = `a client is connected to ${connectUrl}`;
  const client = await within(connecting, { what, ms: PATIENCE_MS })
    .catch((cause) => {
      void connecting.then((late) => late.disconnect()).catch(() => {});
      // What its socket throws is an event, with a page of its inner life.
      throw new Error(`Cannot connect to ${connectUrl}: ${cause?.message}`);
    });
  return Object.assign(client, {
    [Symbol.asyncDispose]: () => client.disconnect(),
  });
}

/** Sets a global in a new page of a session's browser. It is gone as soon as the page or the browser is. */
export async function markPage(
  connectUrl: string,
  mark: string,
): Promise<void> {
  await using client = await connectTo(connectUrl);
  const page = await client.newPage();
  await page.goto(ADDRESS);
  await page.evaluate(`globalThis.mark = ${JSON.stringify(mark)}`);
}

/** The global that {@linkcode markPage} set; undefined if the page is not there any more. */
export async function readMark(connectUrl: string): Promise<unknown> {
  await using client = await connectTo(connectUrl);
  const page = await findPage(client);
  return await page?.evaluate("globalThis.mark");
}

async function findPage(client: Browser): Promise<Page | undefined> {
  const pages = await client.pages();
  return pages.find((page) => page.url() === ADDRESS);
}

/** A socket to a session's browser, as a client that only listens. Disposal closes it. */
export interface Listener extends AsyncDisposable {
  /** Close code and reason. */
  readonly closed: Promise<CloseEvent>;
}

/** Opens a WebSocket. @throws {Error} If it is refused. */
export async function listenTo(connectUrl: string): Promise<Listener> {
  const socket = new WebSocket(connectUrl);
  const closed = new Promise<CloseEvent>((resolve) => socket.onclose = resolve);
  await new Promise<void>((resolve, reject) => {
    socket.onopen = () => resolve();
    socket.onerror = () => reject(new Error(`Cannot connect to ${connectUrl}`));
  });
  return {
    closed,
    async [Symbol.asyncDispose]() {
      socket.close();
      await closed;
    },
  };
}
