import type { VNode } from "preact";
import { isAdmin } from "./api/access.ts";
import { PREFIX } from "./api/client.ts";
import { SessionLivePage } from "./live_view/session_live_page.tsx";
import { KeysPage } from "./keys/keys_page.tsx";
import { NewKeyPage } from "./keys/new_key_page.tsx";
import { Overview } from "./overview/overview.tsx";
import { EditPoolPage, NewPoolPage } from "./pools/pool_form.tsx";
import { PoolPage } from "./pools/pool_page.tsx";
import { PoolsPage } from "./pools/pools_page.tsx";
import { SessionPage } from "./sessions/session_page.tsx";
import { SessionsPage } from "./sessions/sessions_page.tsx";
import { EditWebhookPage, NewWebhookPage } from "./webhooks/webhook_forms.tsx";
import { WebhookPage } from "./webhooks/webhook_page.tsx";
import { WebhooksPage } from "./webhooks/webhooks_page.tsx";
import { WorkerPage } from "./workers/worker_page.tsx";
import { WorkersPage } from "./workers/workers_page.tsx";
import { buildHref, parsePath } from "./routing.ts";

/** Paths of the pages that clients see. */
export const OF_CLIENTS: ReadonlySet<string> = new Set([
  "",
  "sessions",
  "webhooks",
]);

/** The page of the URL, if the visitor may see it. */
export function CurrentPage(): VNode {
  const [, page = "", id, view] = parsePath();
  if (page === "") return <Overview />;
  if (!isAdmin() && !OF_CLIENTS.has(page)) return <NotFound />;
  if (id === undefined) return findList(page) ?? <NotFound />;
  if (id === "new" && view === undefined) return findNew(page) ?? <NotFound />;
  return findOne(page, id, view) ?? <NotFound />;
}

function findList(page: string): VNode | undefined {
  switch (page) {
    case "sessions":
      return <SessionsPage />;
    case "pools":
      return <PoolsPage />;
    case "workers":
      return <WorkersPage />;
    case "webhooks":
      return <WebhooksPage />;
    case "keys":
      return <KeysPage />;
  }
}

function findNew(page: string): VNode | undefined {
  switch (page) {
    case "pools":
      return <NewPoolPage />;
    case "webhooks":
      return <NewWebhookPage />;
    case "keys":
      return <NewKeyPage />;
  }
}

function findOne(page: string, id: string, view?: string): VNode | undefined {
  switch ([page, view].filter(Boolean).join(" ")) {
    case "sessions":
      return <SessionPage id={id} />;
    case "sessions live":
      return <SessionLivePage id={id} />;
    case "pools":
      return <PoolPage id={id} />;
    case "pools edit":
      return <EditPoolPage id={id} />;
    case "workers":
      return <WorkerPage id={id} />;
    case "webhooks":
      return <WebhookPage id={id} />;
    case "webhooks edit":
      return <EditWebhookPage id={id} />;
  }
}

function NotFound(): VNode {
  return (
    <>
      <h1>No such page</h1>
      <p>
        There is nothing at{" "}
        <code>{location.pathname}</code>, or your key may not see it. Continue
        with the <a href={buildHref("")}>overview</a>, the{" "}
        <a href={buildHref("sessions")}>sessions</a>, or the{" "}
        <a href={`${PREFIX}/docs`} target="_blank">description of the API</a>.
      </p>
    </>
  );
}
