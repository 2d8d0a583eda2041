/**
 * Examples for the API description. A test checks them against their schemas.
 *
 * @module
 */

/** Body of a new key. */
export const keyInputExample = {
  name: "ci",
  role: "client",
  work_pool_id: "crawlers",
  max_sessions: 5,
  max_queue: 50,
  max_priority: 10,
  expires_in_days: 90,
};

/** A key in a response. */
export const keyExample = {
  id: "01a20ad2-7c4b-7e0a-9b1f-5d2e8f6a3c10",
  name: "ci",
  prefix: "bg_3fKq9TzA",
  role: "client",
  work_pool_id: "01a20ad2-5e0f-7c11-9d7a-0d6f2b1c4e88",
  max_sessions: 5,
  max_queue: 50,
  max_priority: 10,
  status: "active",
  created_at: "2026-11-24T10:12:00.000Z",
  expires_at: "2027-02-22T10:12:00.000Z",
  last_used_at: null,
  revoked_at: null,
};

/** A created key in a response. */
export const newKeyExample = {
  ...keyExample,
  key: `${keyExample.prefix}_EXAMPLEexampleEXAMPLEexampleEXAMPLEexample0`,
};

/** The caller of a request, signed in with the key of the example. */
export const callerExample = {
  id: keyExample.id,
  name: keyExample.prefix,
  role: "client",
  work_pool_id: keyExample.work_pool_id,
  key_required: true,
  signed_in: true,
  expires_at: "2026-11-24T22:12:00.000Z",
};

/** Body of a sign-in. */
export const signInExample = { key: newKeyExample.key };
