import type { VNode } from "preact";
import { client } from "../api/client.ts";
import { useResource } from "../live/use_resource.ts";
import { buildHref, url } from "../routing.ts";
import { Empty, Fault, Loading } from "../ui/notice.tsx";
import { Pages } from "../ui/pages.tsx";
import { FilterBar } from "./filter_bar.tsx";
import { type Filters, readFilters, toSessionQuery } from "./filters.ts";
import { SessionTable } from "./session_table.tsx";
import { buildCreateCommand } from "./snippets.ts";
import { usePlaces } from "./use_places.ts";

/** The list of sessions, with its selection in the URL. */
export function SessionsPage(): VNode {
  const filters = readFilters(url.value.searchParams);
  const places = usePlaces();
  const { value: page, error } = useResource(
    JSON.stringify(filters),
    (signal) => client.listSessions(toSessionQuery(filters), { signal }),
    { changesBy: ({ type }) => type.startsWith("session.") },
  );
  return (
    <>
      <h1>Sessions</h1>
      <FilterBar filters={filters} places={places} />
      <Fault message={error} />
      {page
        ? page.items.length === 0
          ? <NoSessions filters={filters} />
          : <SessionTable sessions={page.items} places={places} />
        : error === undefined && <Loading />}
      <Pages cursor={filters.cursor} next={page?.next_cursor ?? undefined} />
    </>
  );
}

function NoSessions({ filters }: { readonly filters: Filters }): VNode {
  if (filters.cursor !== undefined) {
    return <Empty title="There are no older sessions" />;
  }
  if (Object.values(filters).some((each) => each !== undefined)) {
    return (
      <Empty title="No session meets the selection">
        <a href={buildHref("sessions")}>Show all sessions</a>
      </Empty>
    );
  }
  return (
    <Empty
      title="There is no session"
      command={buildCreateCommand()}
    >
      Request a browser over HTTP, or connect a client to /v1/connect:
    </Empty>
  );
}
