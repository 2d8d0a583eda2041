/** An example of a link. */
export const linkExample = {
  id: "01a20ad3-24a1-7cc0-8f7b-1f3f7d1f2a11",
  session_id: "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d",
  mode: "view" as const,
  status: "active" as const,
  note: "for the review",
  created_by: "01a20ad2-9d53-7d1e-9a1f-8b0f5c1d2e3f",
  created_at: "2026-01-01T00:00:00.000Z",
  expires_at: "2026-01-01T01:00:00.000Z",
  revoked_at: null,
};

/** An example of a new link. */
export const newLinkExample = {
  ...linkExample,
  url: "http://127.0.0.1:8765/live#lv_TOKEN",
};
