import type { VNode } from "preact";
import type {
  SessionDetailWire,
  SessionEventWire,
} from "../../../client/client.ts";
import { client } from "../api/client.ts";
import { LiveLinks } from "../live_view/live_links.tsx";
import { LiveSection } from "../live_view/live_section.tsx";
import { useResource } from "../live/use_resource.ts";
import { buildHref } from "../routing.ts";
import { Badge } from "../ui/badge.tsx";
import { ConfirmButton } from "../ui/confirm_button.tsx";
import { CopyButton } from "../ui/copy_button.tsx";
import { Fault, Loading } from "../ui/notice.tsx";
import { Section } from "../ui/section.tsx";
import { ConnectSnippets } from "./connect_snippets.tsx";
import { Details } from "./details.tsx";
import { Logs } from "./logs.tsx";
import { Measurements } from "./measurements.tsx";
import { isLive } from "./status.ts";
import { Timeline } from "./timeline.tsx";
import { usePlaces } from "./use_places.ts";

/** Most events of the timeline. */
const MAX_EVENTS = 500;

/** Interval of loads without an event: the reason why a session waits changes without one. */
const REFRESH_MS = 10_000;

interface Loaded {
  readonly session: SessionDetailWire;
  readonly events: readonly SessionEventWire[];
}

/** A session: its state, its history, its output, and how to connect. */
export function SessionPage({ id }: { readonly id: string }): VNode {
  const places = usePlaces();
  const { value, error, reload } = useResource(
    id,
    (signal) => load(id, signal),
    {
      changesBy: ({ session_id }) => session_id === id,
      everyMs: REFRESH_MS,
    },
  );
  if (!value) {
    return (
      <>
        <h1>Session</h1>
        {error === undefined ? <Loading /> : <Fault message={error} />}
        <a href={buildHref("sessions")}>All sessions</a>
      </>
    );
  }
  const { session, events } = value;
  return (
    <>
      <Heading session={session} onStop={reload} />
      <Fault message={error} />
      {session.status_reason !== null && (
        <p class={`reason-line ${session.status}`}>
          {toSentence(session.status_reason)}
        </p>
      )}
      {session.status === "running" && session.live_url !== null && (
        <LiveSection id={session.id} />
      )}
      <div class="columns">
        <div class="stack">
          <Section
            title="Timeline"
            aside={<span class="dim">+ time after the previous</span>}
          >
            <Timeline session={session} events={events} />
          </Section>
          {isLive(session) && (
            <Section title="Connect">
              <ConnectSnippets session={session} />
            </Section>
          )}
        </div>
        <Section title="Details">
          <Details session={session} places={places} />
        </Section>
      </div>
      {session.started_at !== null && (
        <Section title="Measurements">
          <Measurements session={session} />
        </Section>
      )}
      {isLive(session) && session.live_url !== null && (
        <LiveLinks id={session.id} />
      )}
      {session.status !== "pending" && (
        <Logs key={String(isLive(session))} session={session} />
      )}
    </>
  );
}

async function load(id: string, signal: AbortSignal): Promise<Loaded> {
  const [session, { items: events }] = await Promise.all([
    client.getSession(id, {}, { signal }),
    client.listSessionEvents(id, { limit: MAX_EVENTS }, { signal }),
  ]);
  return { session, events };
}

/** Returns a reason of the API as a sentence of its own. */
function toSentence(reason: string): string {
  return reason.slice(0, 1).toUpperCase() + reason.slice(1) +
    (/[.!?]$/.test(reason) ? "" : ".");
}

function Heading(
  { session, onStop }: {
    readonly session: SessionDetailWire;
    readonly onStop: () => void;
  },
): VNode {
  const { id, status } = session;
  async function stop(): Promise<void> {
    await client.stopSession(id);
    onStop();
  }
  return (
    <div class="heading">
      <div>
        <h1>
          Session <Badge status={status} />
        </h1>
        <p class="id-line">
          <span class="id">{id}</span> <CopyButton text={id} label="Copy id" />
        </p>
      </div>
      {isLive(session) && (
        <ConfirmButton
          label="Stop"
          title="Stop this session?"
          isDangerous
          act={stop}
        >
          {status === "running"
            ? "Its browser ends, and clients that are connected lose it."
            : "It ends before its browser runs."}
        </ConfirmButton>
      )}
    </div>
  );
}
