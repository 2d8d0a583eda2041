import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type {
  LiveLinkWire,
  NewLiveLinkWire,
} from "../../../apps/live/schemas.ts";
import { describeError } from "../api/describe_error.ts";
import { client } from "../api/client.ts";
import { formatAge } from "../format.ts";
import { now } from "../live/now.ts";
import { useResource } from "../live/use_resource.ts";
import { Badge } from "../ui/badge.tsx";
import { ConfirmButton } from "../ui/confirm_button.tsx";
import { CopyButton } from "../ui/copy_button.tsx";
import { Empty, Fault, Loading } from "../ui/notice.tsx";
import { Section, Table } from "../ui/section.tsx";
import { LinkForm } from "./link_form.tsx";

/** Interval of loads: links expire without an event. */
const REFRESH_MS = 30_000;

const COLUMNS = [
  { title: "Link" },
  { title: "Status" },
  { title: "Ends" },
  { title: "Note", className: "wide" },
  { title: "" },
];

/** The links to the live view of a session: those that there are, and the form for a new one. */
export function LiveLinks({ id }: { readonly id: string }): VNode {
  const [created, setCreated] = useState<NewLiveLinkWire>();
  const { value, error, reload } = useResource(
    `links ${id}`,
    (signal) => client.listLiveLinks(id, { signal }),
    {
      changesBy: ({ type, session_id }) =>
        session_id === id && type.startsWith("live"),
      everyMs: REFRESH_MS,
    },
  );
  async function create(
    body: Parameters<typeof client.createLiveLink>[1],
  ): Promise<string | undefined> {
    try {
      setCreated(await client.createLiveLink(id, body));
      reload();
    } catch (cause) {
      return describeError(cause);
    }
  }
  return (
    <Section
      title="Links to the live view"
      aside={
        <span class="dim">
          For people without a key; they cannot connect a program
        </span>
      }
    >
      <LinkForm create={create} />
      {created && <NewLink link={created} />}
      <Fault message={error} />
      {!value && error === undefined && <Loading />}
      {value && value.items.length === 0 && (
        <Empty title="No links">
          A link shows this browser to a person who has it, until it ends.
        </Empty>
      )}
      {value && value.items.length > 0 && (
        <Table label="Links to the live view" head={COLUMNS}>
          {value.items.map((link) => (
            <LinkRow key={link.id} link={link} onRevoke={reload} />
          ))}
        </Table>
      )}
    </Section>
  );
}

function NewLink({ link }: { readonly link: NewLiveLinkWire }): VNode {
  const line = useRef<HTMLDivElement>(null);
  useEffect(() => line.current?.focus(), [link.id]);
  return (
    <div class="live-new-link" role="status" tabIndex={-1} ref={line}>
      <p>
        <b>Copy the link now.</b> It is not shown again; whoever has it{" "}
        {link.mode === "control" ? "can take control" : "can watch"}.
      </p>
      <div class="code">
        <pre><code>{link.url}</code></pre>
        <CopyButton text={link.url} label="Copy link" />
      </div>
    </div>
  );
}

function LinkRow(
  { link, onRevoke }: {
    readonly link: LiveLinkWire;
    readonly onRevoke: () => void;
  },
): VNode {
  async function revoke(): Promise<void> {
    await client.revokeLiveLink(link.session_id, link.id);
    onRevoke();
  }
  return (
    <tr>
      <td>{link.mode === "control" ? "Watch and control" : "Watch"}</td>
      <td>
        <Badge status={link.status} />
      </td>
      <td class="nowrap">{renderEnd(link)}</td>
      <td class="wide reason">{link.note}</td>
      <td class="number">
        {link.status === "active" && (
          <ConfirmButton
            label="Revoke"
            title="Revoke this link?"
            isDangerous
            act={revoke}
          >
            People who watch by it lose the picture at once.
          </ConfirmButton>
        )}
      </td>
    </tr>
  );
}

function renderEnd({ status, expires_at }: LiveLinkWire): string {
  return status === "active"
    ? `in ${formatAge(Date.parse(expires_at) - now.value)}`
    : "\u2013";
}
