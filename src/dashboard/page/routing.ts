import { type ReadonlySignal, signal } from "@preact/signals";
import { PREFIX } from "./api/client.ts";

const current = signal(new URL(location.href));

/** URL of the shown page. */
export const url: ReadonlySignal<URL> = current;

/** Returns the path of the shown page below the server's prefix, without a slash at the end. */
export function getPath(): string {
  return current.value.pathname.slice(PREFIX.length).replace(/\/+$/, "");
}

/** Splits the path of a page into its parts: `["ui", "sessions", ID]`. */
export function parsePath(): readonly string[] {
  const [, ...parts] = getPath().split("/").map(decode);
  return parts;
}

/** Returns the part as it is if it cannot be decoded. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Returns the address of a page, such as `sessions` or `sessions/ID`. */
export function buildHref(
  path: string,
  query: Readonly<Record<string, string | undefined>> = {},
): string {
  const set = Object.entries(query).flatMap(([name, value]) =>
    value ? [[name, value]] : []
  );
  const search = new URLSearchParams(set).toString();
  return `${PREFIX}/ui${path && `/${path}`}${search && `?${search}`}`;
}

/** Shows the page at an address of {@linkcode buildHref}, as a new entry of the browser's history. */
export function navigate(href: string): void {
  history.pushState(null, "", href);
  show();
  scrollTo(0, 0);
}

/** Changes parameters of the URL; empty ones are removed. The page stays. */
export function setQuery(
  changes: Readonly<Record<string, string | undefined>>,
): void {
  const next = new URL(current.value);
  for (const [name, value] of Object.entries(changes)) {
    if (value) next.searchParams.set(name, value);
    else next.searchParams.delete(name);
  }
  if (next.href === current.value.href) return;
  history.pushState(null, "", next);
  show();
}

/** Shows pages without loading the document again, for links and for the buttons of the browser. */
export function followLinks(): void {
  addEventListener("popstate", show);
  document.addEventListener("click", (event) => {
    const isPlain = event.button === 0 && !event.defaultPrevented &&
      !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    const link = event.target instanceof Element
      ? event.target.closest("a")
      : null;
    if (!isPlain || !link || link.target !== "") return;
    const { origin, pathname, href } = link;
    if (origin !== location.origin || !pathname.startsWith(`${PREFIX}/ui`)) {
      return;
    }
    event.preventDefault();
    navigate(href);
  });
}

function show(): void {
  current.value = new URL(location.href);
}
