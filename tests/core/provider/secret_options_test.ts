import assert from "node:assert/strict";
import { z } from "zod";
import {
  listSecretOptions,
  secretSchema,
} from "../../../src/core/provider/secret_options.ts";

Deno.test("secret options are found, whether they are required, optional or described", () => {
  const schema = z.strictObject({
    user: z.string().describe("User"),
    password: secretSchema().describe("Password"),
    token: secretSchema().optional().describe("Token"),
    key: secretSchema().default("none").describe("Key"),
    note: z.string().optional().describe("Note"),
  });
  assert.deepEqual(listSecretOptions(schema), ["password", "token", "key"]);
});
