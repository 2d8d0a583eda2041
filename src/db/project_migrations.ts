// Written by `deno task db:generate`.

/** Loads the SQL of each migration of the project, in their order. Imports, so that every build contains the files. */
export const PROJECT_MIGRATIONS: Readonly<
  Record<string, () => Promise<{ readonly default: string }>>
> = {
  "0000_initial": () =>
    import("../../migrations/0000_initial.sql", { with: { type: "text" } }),
  "0001_recovery": () =>
    import("../../migrations/0001_recovery.sql", { with: { type: "text" } }),
  "0002_keys": () =>
    import("../../migrations/0002_keys.sql", { with: { type: "text" } }),
  "0003_gateway": () =>
    import("../../migrations/0003_gateway.sql", { with: { type: "text" } }),
  "0004_egress": () =>
    import("../../migrations/0004_egress.sql", { with: { type: "text" } }),
  "0005_key_limits": () =>
    import("../../migrations/0005_key_limits.sql", { with: { type: "text" } }),
  "0006_labels": () =>
    import("../../migrations/0006_labels.sql", { with: { type: "text" } }),
  "0007_pool_lists": () =>
    import("../../migrations/0007_pool_lists.sql", { with: { type: "text" } }),
  "0008_owner_lists": () =>
    import("../../migrations/0008_owner_lists.sql", { with: { type: "text" } }),
  "0009_worker_lists": () =>
    import("../../migrations/0009_worker_lists.sql", {
      with: { type: "text" },
    }),
  "0010_status_lists": () =>
    import("../../migrations/0010_status_lists.sql", {
      with: { type: "text" },
    }),
  "0011_claim_counts": () =>
    import("../../migrations/0011_claim_counts.sql", {
      with: { type: "text" },
    }),
  "0012_events": () =>
    import("../../migrations/0012_events.sql", { with: { type: "text" } }),
  "0013_metrics": () =>
    import("../../migrations/0013_metrics.sql", { with: { type: "text" } }),
  "0014_webhooks": () =>
    import("../../migrations/0014_webhooks.sql", { with: { type: "text" } }),
  "0015_browser_events": () =>
    import("../../migrations/0015_browser_events.sql", {
      with: { type: "text" },
    }),
  "0016_session_logs": () =>
    import("../../migrations/0016_session_logs.sql", {
      with: { type: "text" },
    }),
  "0017_traces": () =>
    import("../../migrations/0017_traces.sql", { with: { type: "text" } }),
  "0018_provider_secrets": () =>
    import("../../migrations/0018_provider_secrets.sql", {
      with: { type: "text" },
    }),
  "0019_scaling": () =>
    import("../../migrations/0019_scaling.sql", { with: { type: "text" } }),
  "0020_sign_ins": () =>
    import("../../migrations/0020_sign_ins.sql", { with: { type: "text" } }),
  "0021_live_links": () =>
    import("../../migrations/0021_live_links.sql", { with: { type: "text" } }),
  "0022_handovers": () =>
    import("../../migrations/0022_handovers.sql", { with: { type: "text" } }),
  "0023_live_controls": () =>
    import("../../migrations/0023_live_controls.sql", {
      with: { type: "text" },
    }),
};
