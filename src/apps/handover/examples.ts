/** Examples for the API description; a test checks them against their schemas. */
export const handoverInputExample = {
  reason: "Please sign in to the shop",
  timeout_seconds: 600,
  until: { url: "https://shop.example/account*" },
};

export const handoverExample = {
  id: "01a20ad6-1b8c-72fd-b6ee-3a52ff860a5d",
  session_id: "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d",
  status: "open" as const,
  reason: "Please sign in to the shop",
  hold: false,
  until: { url: "https://shop.example/account*", selector: null },
  until_error: null,
  note: null,
  requested_by: "01a20ad2-7c4b-7e0a-9b1f-5d2e8f6a3c10",
  resolved_by: null,
  created_at: "2026-11-24T10:16:00.000Z",
  expires_at: "2026-11-24T10:26:00.000Z",
  resolved_at: null,
};
