/** Examples for the description of the API; a test holds them to their schemas. */

export const poolInputExample = {
  name: "crawlers",
  description: "Chrome in containers, for the nightly crawl",
  provider_type: "docker",
  priority: 10,
  default_browser: "chrome",
  default_screen: { width: 1920, height: 1080, dpi: 96, scale: 1 },
  default_resource_limits: { cpu: 2, memory: "2G", timeout_minutes: 30 },
  default_environment: { LANG: "de_DE.UTF-8" },
  max_sessions: 50,
  max_queue: 100,
  egress: "no_private",
  egress_allow: ["10.1.0.0/16", "intranet.example.test:443"],
};

export const poolPatchExample = { max_sessions: 80, default_browser: null };

export const poolExample = {
  ...poolInputExample,
  id: "01a20ad2-5e0f-7c11-9d7a-0d6f2b1c4e88",
  provider_config: {},
  status: "active",
  default_browser_version: null,
  default_headless: null,
  default_operating_system: null,
  default_proxy: null,
  default_environment: ["LANG"],
  min_workers: 0,
  max_workers: null,
  max_sessions_per_worker: null,
  min_ready: 0,
  ready_max_age_minutes: 60,
  allowed_arguments: null,
  max_timeout_minutes: null,
  created_at: "2026-11-24T10:10:00.000Z",
  updated_at: "2026-11-24T10:10:00.000Z",
};

export const pressureExample = {
  work_pool_id: poolExample.id,
  status: "active",
  pending: 3,
  starting: 1,
  running: 12,
  max_sessions: 50,
  max_queue: 100,
  workers_online: 3,
  capacity: 15,
  oldest_pending_seconds: 1.25,
  ready: 2,
  min_ready: 2,
};
