import type { SchemaInput } from "../core/schema.ts";
import type {
  CallerWire,
  KeySchemas,
  KeyWire,
  NewKeyWire,
} from "../apps/keys/schemas.ts";
import type { CallOptions, Transport } from "./transport.ts";
import type { Page, PageQuery } from "./pages.ts";

/** Body of a new key. Fields with defaults may be absent. */
export type KeyBody = SchemaInput<KeySchemas["keyInputSchema"]>;

/** Endpoints of keys, for admins, and of the caller. `ref` is the id or prefix of a key. */
export interface KeyMethods {
  /** Creates a key. Only this response contains the key itself. */
  createKey(body: KeyBody, options?: CallOptions): Promise<NewKeyWire>;
  /** Lists keys, newest first. */
  listKeys(query?: PageQuery, options?: CallOptions): Promise<Page<KeyWire>>;
  /** Returns a key. */
  getKey(ref: string, options?: CallOptions): Promise<KeyWire>;
  /** Revokes a key. */
  revokeKey(ref: string, options?: CallOptions): Promise<void>;
  /** Returns the caller that the key of this client identifies. */
  getCaller(options?: CallOptions): Promise<CallerWire>;
}

const KEYS = "/v1/keys";

/** Creates the methods over `transport`. */
export function createKeyMethods(transport: Transport): KeyMethods {
  const buildPath = (ref: string) => `${KEYS}/${encodeURIComponent(ref)}`;
  return {
    createKey: (body, options) =>
      transport.json("POST", KEYS, { ...options, body }),
    listKeys: (query, options) =>
      transport.json("GET", KEYS, { ...options, query: { ...query } }),
    getKey: (ref, options) => transport.json("GET", buildPath(ref), options),
    async revokeKey(ref, options) {
      await transport.text("DELETE", buildPath(ref), options);
    },
    getCaller: (options) => transport.json("GET", "/v1/auth/caller", options),
  };
}
