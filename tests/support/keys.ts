import assert from "node:assert/strict";
import type { KeyInput, NewKeyWire } from "../../src/apps/keys/schemas.ts";
import { type Api, createApiClient } from "./api.ts";
import { type TestGrid, testGrid, type TestGridOptions } from "./grid.ts";

/** The bootstrap key of {@linkcode keyedGrid}. */
export const BOOTSTRAP_KEY = "bootstrap-0123456789";

/** A grid that asks for keys. */
export interface KeyedGrid extends TestGrid {
  /** The API with the bootstrap key. */
  readonly admin: Api;
  /** Makes a key, a client's if it is not said. */
  key(fields?: Partial<KeyInput>): Promise<NewKeyWire>;
  /** Returns a client of the API with `key`. */
  as(key: string): Api;
  /** Returns a client of the API with a new key. */
  asNew(fields?: Partial<KeyInput>): Promise<Api>;
}

/** Starts a grid with a bootstrap key. */
export async function keyedGrid(
  options: TestGridOptions = {},
): Promise<KeyedGrid> {
  const grid = await testGrid({
    ...options,
    settings: { api_key: BOOTSTRAP_KEY, ...options.settings },
  });
  const as = (key: string) => createApiClient(grid, { "x-api-key": key });
  const admin = as(BOOTSTRAP_KEY);

  async function key(fields: Partial<KeyInput> = {}): Promise<NewKeyWire> {
    const body = { name: "test", role: "client", ...fields };
    const answer = await admin.call("POST", "/keys", body);
    assert.equal(answer.status, 201, answer.text);
    return answer.body;
  }

  return {
    ...grid,
    admin,
    key,
    as,
    asNew: async (fields) => as((await key(fields)).key),
  };
}
