import type { z } from "@hono/zod-openapi";
import type {
  keyInputSchema,
  KeyWire,
  NewKeyWire,
} from "../apps/keys/schemas.ts";
import type { CallOptions, Transport } from "./transport.ts";
import type { Page, PageQuery } from "./pages.ts";

/** Body of a new key. */
export type KeyBody = z.input<typeof keyInputSchema>;

/** Endpoints of keys, for admins; `ref` is the id or the prefix of one. */
export interface KeyMethods {
  /** The only answer that has the key itself. */
  createKey(body: KeyBody, options?: CallOptions): Promise<NewKeyWire>;
  listKeys(query?: PageQuery, options?: CallOptions): Promise<Page<KeyWire>>;
  getKey(ref: string, options?: CallOptions): Promise<KeyWire>;
  revokeKey(ref: string, options?: CallOptions): Promise<void>;
}

const KEYS = "/v1/keys";

/** The methods over `exchange`. */
export function keyMethods({ json, text }: Transport): KeyMethods {
  const pathOf = (ref: string) => `${KEYS}/${encodeURIComponent(ref)}`;
  return {
    createKey: (body, options) => json("POST", KEYS, { ...options, body }),
    listKeys: (query, options) =>
      json("GET", KEYS, { ...options, query: { ...query } }),
    getKey: (ref, options) => json("GET", pathOf(ref), options),
    async revokeKey(ref, options) {
      await text("DELETE", pathOf(ref), options);
    },
  };
}
