import type { VNode } from "preact";
import { useState } from "preact/hooks";
import type { NewPoolWire, PoolWire } from "../../../client/client.ts";
import { client, transport } from "../api/client.ts";
import { loadBodySchema, restrictSchema } from "../forms/api_schemas.ts";
import { withChoices } from "../forms/choices.ts";
import type { JsonSchema } from "../forms/json_schema.ts";
import { type FieldGroup, SchemaForm } from "../forms/schema_form.tsx";
import type { Values } from "../forms/values.ts";
import { useOnce } from "../live/use_once.ts";
import { buildHref, navigate } from "../routing.ts";
import { Fault, Loading } from "../ui/notice.tsx";

/** A provider with its options, as the API lists it. */
interface Provider {
  readonly name: string;
  readonly display_name: string;
  readonly description: string;
  readonly config_schema: JsonSchema;
}

interface Loaded {
  readonly schema: JsonSchema;
  readonly providers: readonly Provider[];
}

const BASICS: FieldGroup = {
  title: "Pool",
  fields: ["name", "provider_type", "description"],
};

const GROUPS: readonly FieldGroup[] = [
  {
    title: "Limits",
    fields: [
      "max_sessions",
      "max_queue",
      "max_timeout_minutes",
      "priority",
      "max_sessions_per_worker",
      "min_workers",
      "max_workers",
    ],
    isOptional: true,
  },
  {
    title: "Warm browsers",
    fields: ["min_ready", "ready_max_age_minutes"],
    isOptional: true,
  },
  {
    title: "Defaults of sessions",
    fields: [
      "default_browser",
      "default_browser_version",
      "default_headless",
      "default_operating_system",
      "default_resource_limits",
      "default_screen",
      "default_proxy",
      "default_environment",
    ],
    isOptional: true,
  },
  {
    title: "Network and arguments",
    fields: ["egress", "egress_allow", "allowed_arguments"],
    isOptional: true,
  },
];

const OPTIONS: FieldGroup = {
  title: "Provider options",
  fields: ["provider_config"],
  isOptional: true,
};

/** Fields of the problems that name no member. */
const FIELD_BY_CODE = {
  pool_name_taken: "name",
  unknown_provider: "provider_type",
};

async function loadProviders(): Promise<readonly Provider[]> {
  const { items } = await transport.json<
    { readonly items: readonly Provider[] }
  >("GET", "/v1/workerpool/providers");
  return items;
}

/** Returns the schema of a pool with the options of its provider. */
function withProvider(
  { schema, providers }: Loaded,
  type: unknown,
): JsonSchema {
  const { provider_config: _, ...properties } = schema.properties ?? {};
  const provider = providers.find(({ name }) => name === type);
  const choices = withChoices({ ...schema, properties }, {
    provider_type: providers.map(({ name }) => name),
  });
  if (!provider) return choices;
  return {
    ...choices,
    properties: {
      ...choices.properties,
      provider_config: {
        ...provider.config_schema,
        // Controls of another provider's options are others, even under the same name.
        title: provider.name,
        description: provider.description,
      },
    },
  };
}

function nameProviders(providers: readonly Provider[]) {
  return {
    provider_type: Object.fromEntries(
      providers.map(({ name, display_name }) => [name, display_name]),
    ),
  };
}

/** Returns true if the provider cannot be used without options of the visitor. */
function needsOptions({ providers }: Loaded, type: unknown): boolean {
  const found = providers.find(({ name }) => name === type);
  return (found?.config_schema.required ?? []).length > 0;
}

/** The form of a new pool. */
export function NewPoolPage(): VNode {
  const { value, error } = useOnce(loadNew);
  const [type, setType] = useState<unknown>("local");
  const [created, setCreated] = useState<NewPoolWire>();
  if (created) return <CreatedPool created={created} />;
  return (
    <>
      <h1>New pool</h1>
      <Fault message={error} />
      {value
        ? (
          <SchemaForm
            schema={withProvider(value, type)}
            preset={{ provider_type: "local" }}
            groups={[
              BASICS,
              { ...OPTIONS, isOptional: !needsOptions(value, type) },
              ...GROUPS,
            ]}
            without={["status"]}
            titles={nameProviders(value.providers)}
            fieldByCode={FIELD_BY_CODE}
            adjust={(values, name) => {
              if (name !== "provider_type") return values;
              setType(values["provider_type"]);
              const { provider_config: _, ...rest } = values;
              return rest;
            }}
            label="Create pool"
            cancelHref={buildHref("pools")}
            send={async (body) => {
              const pool = await transport.json<NewPoolWire>(
                "POST",
                "/v1/workerpool/pools",
                { body },
              );
              if (pool.warnings.length > 0) setCreated(pool);
              else navigate(buildHref(`pools/${pool.id}`));
            }}
          />
        )
        : error === undefined && <Loading />}
    </>
  );
}

/** A created pool of which no session can start, with the reasons. */
function CreatedPool({ created }: { readonly created: NewPoolWire }): VNode {
  return (
    <>
      <h1>Pool {created.name} is created</h1>
      {created.warnings.map((warning) => (
        <p class="reason-line pending" role="alert" key={warning}>{warning}</p>
      ))}
      <a class="button primary" href={buildHref(`pools/${created.id}`)}>
        Go on to the pool
      </a>
    </>
  );
}

async function loadNew(): Promise<Loaded> {
  const [schema, providers] = await Promise.all([
    loadBodySchema("createPool"),
    loadProviders(),
  ]);
  return { schema, providers };
}

/** The form that changes a pool. Its provider stays. */
export function EditPoolPage({ id }: { readonly id: string }): VNode {
  const { value, error } = useOnce(() => loadPool(id));
  const href = buildHref(`pools/${id}`);
  return (
    <>
      <h1>Edit pool {value?.pool.name}</h1>
      <Fault message={error} />
      {value
        ? (
          <SchemaForm
            schema={withProvider(value, value.pool.provider_type)}
            current={toValues(value.pool)}
            groups={[BASICS, OPTIONS, ...GROUPS]}
            without={["status", "provider_type"]}
            secrets={value.pool.provider_secrets.map((name) =>
              `provider_config.${name}`
            )}
            fieldByCode={FIELD_BY_CODE}
            label="Save"
            cancelHref={href}
            send={async (body) => {
              await client.patchPool(id, body);
              navigate(href);
            }}
          />
        )
        : error === undefined && <Loading />}
    </>
  );
}

function toValues(pool: PoolWire): Values {
  return { ...pool };
}

async function loadPool(
  id: string,
): Promise<Loaded & { readonly pool: PoolWire }> {
  const [schema, change, providers, pool] = await Promise.all([
    loadBodySchema("createPool"),
    loadBodySchema("patchPool"),
    loadProviders(),
    client.getPool(id),
  ]);
  return { schema: restrictSchema(schema, change), providers, pool };
}
