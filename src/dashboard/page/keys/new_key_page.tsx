import type { VNode } from "preact";
import { useState } from "preact/hooks";
import type { NewKeyWire, PoolWire } from "../../../client/client.ts";
import { isKeyRequired, signIn } from "../api/access.ts";
import { client, SERVER_URL, transport } from "../api/client.ts";
import { loadBodySchema } from "../forms/api_schemas.ts";
import { withChoices } from "../forms/choices.ts";
import type { JsonSchema } from "../forms/json_schema.ts";
import { type FieldGroup, SchemaForm } from "../forms/schema_form.tsx";
import type { Values } from "../forms/values.ts";
import { useOnce } from "../live/use_once.ts";
import { buildHref } from "../routing.ts";
import { SnippetTabs } from "../sessions/snippet_tabs.tsx";
import { createGridSnippets } from "../sessions/snippets.ts";
import { Command, Fault, Loading } from "../ui/notice.tsx";
import { SecretOnce } from "../ui/secret_once.tsx";
import { Section } from "../ui/section.tsx";
import { buildWorkerCommand } from "../workers/worker_command.ts";

const MAX_POOLS = 500;

const GROUPS: readonly FieldGroup[] = [
  {
    title: "Key",
    fields: ["name", "role", "work_pool_id", "expires_in_days"],
  },
  {
    title: "Limits",
    fields: ["max_sessions", "max_queue", "max_priority", "expires_at"],
    isOptional: true,
  },
];

interface Loaded {
  readonly schema: JsonSchema;
  readonly pools: readonly PoolWire[];
}

/** The form of a new key. The key is shown once after it is created, and is not kept by the page. */
export function NewKeyPage(): VNode {
  const { value, error } = useOnce(load);
  const [created, setCreated] = useState<NewKeyWire>();
  if (created) return <CreatedKey created={created} pools={value?.pools} />;
  return (
    <>
      <h1>New key</h1>
      <Fault message={error} />
      {value
        ? (
          <SchemaForm
            schema={withChoices(value.schema, {
              work_pool_id: value.pools.map(({ name }) => name),
            })}
            groups={GROUPS}
            titles={{ work_pool_id: { "": "Every pool" } }}
            preset={{ role: "client" }}
            findHidden={({ role }) =>
              role === "admin" || role === "metrics"
                ? ["work_pool_id", "max_sessions", "max_queue", "max_priority"]
                : role === "worker"
                ? ["max_sessions", "max_queue", "max_priority"]
                : []}
            fieldByCode={{ pool_not_found: "work_pool_id" }}
            label="Create key"
            cancelHref={buildHref("keys")}
            send={async (body) => setCreated(await createKey(body))}
          />
        )
        : error === undefined && <Loading />}
    </>
  );
}

/** Creates a key. The first admin key makes keys required: the visitor signs in with it, to go on. */
async function createKey(body: Values): Promise<NewKeyWire> {
  const isOpen = !isKeyRequired();
  const created = await transport.json<NewKeyWire>("POST", "/v1/keys", {
    body,
  });
  if (isOpen && created.role === "admin") await signIn(created.key);
  return created;
}

async function load(): Promise<Loaded> {
  const [schema, { items: pools }] = await Promise.all([
    loadBodySchema("createKey"),
    client.listPools({ limit: MAX_POOLS }),
  ]);
  return { schema, pools };
}

function CreatedKey(
  { created, pools = [] }: {
    readonly created: NewKeyWire;
    readonly pools: readonly PoolWire[] | undefined;
  },
): VNode {
  const { name, key, role, work_pool_id } = created;
  const pool = pools.find(({ id }) => id === work_pool_id)?.name;
  return (
    <>
      <h1>Key {name}</h1>
      <SecretOnce title="Copy the key now" secret={key}>
        It is not shown again: the grid stores only its hash. Store it where
        secrets are kept, and revoke it if it becomes known.
      </SecretOnce>
      <Section title="Use it">
        <p class="panel-text">
          Programs and the command line read the key from a variable:
        </p>
        <div class="panel-text">
          <Command text={`export BROWSERGRID_API_KEY="${key}"`} />
        </div>
        {(role === "client" || role === "admin") && (
          <SnippetTabs snippets={createGridSnippets({ pool, hasKey: true })} />
        )}
        {role === "worker" && (
          <div class="panel-text">
            <Command text={buildWorkerCommand(pool ?? "POOL")} />
          </div>
        )}
        {role === "metrics" && (
          <div class="panel-text">
            <Command
              text={`curl -H "X-API-Key: $BROWSERGRID_API_KEY" ${SERVER_URL}/metrics`}
            />
          </div>
        )}
      </Section>
      <a class="button" href={buildHref("keys")}>All keys</a>
    </>
  );
}
