import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { CallerWire } from "../../apps/keys/schemas.ts";
import { access, isAdmin, loadCaller } from "./api/access.ts";
import { CurrentPage, OF_CLIENTS } from "./current_page.tsx";
import { formatTime } from "./format.ts";
import { connection, followEvents } from "./live/grid_events.ts";
import { loadedAt } from "./live/use_resource.ts";
import { buildHref, getPath, parsePath } from "./routing.ts";
import { SignIn } from "./sign_in.tsx";
import { Fault, Loading } from "./ui/notice.tsx";
import { VisitorMenu } from "./visitor_menu.tsx";

/** The whole page: the sign-in, or the pages of the grid. */
export function Shell(): VNode {
  const { value } = access;
  switch (value.state) {
    case "loading":
      return <Loading />;
    case "signed_out":
      return <SignIn notice={value.notice} />;
    case "unreachable":
      return (
        <main class="alone">
          <h1>Browsergrid</h1>
          <Fault message={value.message} />
          <button
            type="button"
            class="primary"
            onClick={() => void loadCaller()}
          >
            Try again
          </button>
        </main>
      );
    case "open":
      return <Grid visitor={value.visitor} />;
  }
}

function Grid({ visitor }: { readonly visitor: CallerWire }): VNode {
  const canRead = visitor.role === "admin" || visitor.role === "client";
  useEffect(() => canRead ? followEvents() : undefined, [visitor.id]);
  return (
    <>
      <a class="skip" href="#main">Skip to content</a>
      <header class="top">
        <a class="brand" href={buildHref("")}>
          <Logo /> Browsergrid
        </a>
        {canRead && <Navigation />}
        <div class="top-end">
          {canRead && <ConnectionState />}
          <VisitorMenu visitor={visitor} />
        </div>
      </header>
      {canRead ? <Content /> : (
        <main class="alone" id="main">
          <h1>No access</h1>
          <p>
            The role of this key is{" "}
            {visitor.role}. Sign out, and sign in with a key of the role admin
            or client.
          </p>
        </main>
      )}
    </>
  );
}

function Logo(): VNode {
  return (
    <svg viewBox="0 0 16 16" width="18" height="18" aria-hidden="true">
      <rect x="1" y="1" width="6" height="6" rx="1.5" />
      <rect x="9" y="1" width="6" height="6" rx="1.5" opacity="0.55" />
      <rect x="1" y="9" width="6" height="6" rx="1.5" opacity="0.55" />
      <rect x="9" y="9" width="6" height="6" rx="1.5" />
    </svg>
  );
}

/** Pages in the navigation: their path and title. */
const PAGES = [
  ["", "Overview"],
  ["sessions", "Sessions"],
  ["pools", "Pools"],
  ["workers", "Workers"],
  ["webhooks", "Webhooks"],
  ["keys", "Keys"],
] as const;

function Navigation(): VNode {
  const [, first = ""] = parsePath();
  const bar = useRef<HTMLElement>(null);
  useEffect(() => {
    const { current } = bar;
    const link = current?.querySelector<HTMLElement>("[aria-current]");
    // On a phone the bar scrolls.
    if (current && link) current.scrollLeft = link.offsetLeft - 100;
  }, [first]);
  const pages = PAGES.filter(([path]) => isAdmin() || OF_CLIENTS.has(path));
  return (
    <nav aria-label="Pages" ref={bar}>
      {pages.map(([path, title]) => (
        <a
          key={path}
          href={buildHref(path)}
          aria-current={first === path ? "page" : undefined}
        >
          {title}
        </a>
      ))}
    </nav>
  );
}

/** Texts of the states of the connection. */
const STATES = {
  connecting: "Connecting",
  live: "Live",
  lost: "Connection lost, trying again",
} as const;

function ConnectionState(): VNode {
  const { value } = connection;
  return (
    <span class={`connection ${value}`} role="status">{STATES[value]}</span>
  );
}

function Content(): VNode {
  const main = useRef<HTMLElement>(null);
  const path = getPath();
  const shown = useRef(path);
  useEffect(() => {
    const title = main.current?.querySelector("h1")?.firstChild?.textContent;
    document.title = title ? `${title} \u00b7 Browsergrid` : "Browsergrid";
    // As after a load of a document, so that screen readers and the keyboard begin at the new page.
    if (shown.current !== path) main.current?.focus({ preventScroll: true });
    shown.current = path;
  }, [path]);
  return (
    <main
      id="main"
      ref={main}
      tabIndex={-1}
      key={path}
      class={connection.value === "lost" ? "stale" : ""}
    >
      <StaleNote />
      <CurrentPage />
    </main>
  );
}

/** The time of what the page shows, while the server does not respond. */
function StaleNote(): VNode | null {
  if (connection.value !== "lost" || loadedAt.value === undefined) return null;
  return <p class="as-of">Shown as of {formatTime(loadedAt.value)}</p>;
}
