import type { VNode } from "preact";
import type { KeyWire, PoolWire } from "../../../client/client.ts";
import { access } from "../api/access.ts";
import { client } from "../api/client.ts";
import { useResource } from "../live/use_resource.ts";
import { buildHref, url } from "../routing.ts";
import { Badge } from "../ui/badge.tsx";
import { ConfirmButton } from "../ui/confirm_button.tsx";
import { Empty, Fault, Loading } from "../ui/notice.tsx";
import { Pages } from "../ui/pages.tsx";
import { Table } from "../ui/section.tsx";
import { Age, Moment } from "../ui/time.tsx";

const PAGE_SIZE = 50;

/** Most pools whose names are shown. */
const MAX_POOLS = 500;

/** Uses of keys are no events. */
const REFRESH_MS = 10_000;

/** The list of keys, newest first. */
export function KeysPage(): VNode {
  const cursor = url.value.searchParams.get("cursor") ?? undefined;
  const { value, error, reload } = useResource(
    cursor ?? "",
    (signal) => load(cursor, signal),
    { changesBy: () => false, everyMs: REFRESH_MS },
  );
  return (
    <>
      <div class="heading">
        <h1>Keys</h1>
        <div class="actions">
          <a class="button primary" href={buildHref("keys/new")}>Create key</a>
        </div>
      </div>
      <Fault message={error} />
      {value
        ? (
          <div class="panel">
            <KeyTable {...value} onChange={reload} />
          </div>
        )
        : error === undefined && <Loading />}
      <Pages cursor={cursor} next={value?.next} />
    </>
  );
}

interface Loaded {
  readonly keys: readonly KeyWire[];
  readonly pools: readonly PoolWire[];
  readonly next: string | undefined;
}

async function load(
  cursor: string | undefined,
  signal: AbortSignal,
): Promise<Loaded> {
  const [keys, pools] = await Promise.all([
    client.listKeys({ cursor, limit: PAGE_SIZE }, { signal }),
    client.listPools({ limit: MAX_POOLS }, { signal }),
  ]);
  return {
    keys: keys.items,
    pools: pools.items,
    next: keys.next_cursor ?? undefined,
  };
}

function KeyTable(
  { keys, pools, onChange }: Loaded & { readonly onChange: () => void },
): VNode {
  const names = new Map(pools.map(({ id, name }) => [id, name]));
  if (keys.length === 0) return <NoKeys />;
  return (
    <Table
      label="Keys"
      head={[
        { title: "Name" },
        { title: "Role", className: "wide" },
        { title: "Status" },
        { title: "Begins with", className: "wide" },
        { title: "Pool", className: "wide" },
        { title: "Last used" },
        { title: "Expires", className: "wide" },
        { title: "Created", className: "wide" },
        { title: "Actions" },
      ]}
    >
      {keys.map((key) => (
        <KeyRow
          key={key.id}
          entry={key}
          pool={key.work_pool_id === null
            ? undefined
            : names.get(key.work_pool_id) ?? key.work_pool_id}
          onChange={onChange}
        />
      ))}
    </Table>
  );
}

function NoKeys(): VNode {
  const { value } = access;
  const isOpen = value.state === "open" && !value.visitor.key_required;
  return (
    <Empty title="There is no key in the database">
      {isOpen
        ? "Anyone who reaches the server may use it. The first admin key ends this: create one for yourself, then one for each program."
        : "The key of the setting api_key is the only one. Create one for each program and worker, so that each can be revoked alone."}
    </Empty>
  );
}

function KeyRow(
  { entry, pool, onChange }: {
    readonly entry: KeyWire;
    readonly pool: string | undefined;
    readonly onChange: () => void;
  },
): VNode {
  const { id, name, role, prefix, status, last_used_at, expires_at } = entry;
  return (
    <tr>
      <td>
        {name} <span class="narrow dim">{role}</span>
      </td>
      <td class="wide">{role}</td>
      <td>
        <Badge status={status} />
      </td>
      <td class="wide">
        <span class="id">{prefix}</span>{" "}
        {isVisitor(prefix) && <span class="dim">your sign-in</span>}
      </td>
      <td class="wide">{pool ?? "every"}</td>
      <td class="nowrap">
        {last_used_at === null
          ? "never"
          : <Age at={last_used_at} suffix=" ago" />}
      </td>
      <td class="wide nowrap">
        {expires_at === null ? "never" : <Moment at={expires_at} />}
      </td>
      <td class="wide nowrap">
        <Age at={entry.created_at} suffix=" ago" />
      </td>
      <td>
        {status === "active" && (
          <ConfirmButton
            label="Revoke"
            name={`Revoke ${name}`}
            title={`Revoke key "${name}"?`}
            isDangerous
            isSmall
            act={async () => {
              await client.revokeKey(id);
              onChange();
            }}
          >
            Requests with it are rejected from now on, sign-ins with it end, and
            its webhooks stop. This cannot be undone.
            {isVisitor(prefix) && " You have signed in with this key."}
          </ConfirmButton>
        )}
      </td>
    </tr>
  );
}

/** Reports whether the visitor has signed in with the key of a prefix. */
function isVisitor(prefix: string): boolean {
  const { value } = access;
  return value.state === "open" && value.visitor.name === prefix;
}
