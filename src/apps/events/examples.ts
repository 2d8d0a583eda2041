/** Examples for the API description; a test checks them against their schemas. */
export const eventExample = {
  sequence: 42,
  type: "session.running",
  session_id: "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d",
  work_pool_id: "01a20ad2-5e0f-7c11-9d7a-0d6f2b1c4e88",
  worker_id: "01a20ad2-9f3a-7b64-8a55-6c1e7f0b2d39",
  owner: "bootstrap",
  data: { warm: false },
  timestamp: "2026-11-24T10:15:03.020Z",
};
