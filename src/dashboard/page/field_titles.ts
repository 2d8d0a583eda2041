import { formatTitle } from "./format.ts";

/** Titles of fields whose names in the API are not those of the dashboard. */
const TITLES: Readonly<Record<string, string>> = {
  provider_type: "Provider",
  provider_config: "Provider options",
  provider_secrets: "Secret options",
  min_ready: "Warm browsers",
  ready_max_age_minutes: "Age of warm browsers",
  max_timeout_minutes: "Longest timeout",
  max_queue: "Longest queue",
  created_at: "Created",
  updated_at: "Changed",
  work_pool_id: "Work pool",
  session_id: "Session",
  include_connect_url: "Include the connect URL",
};

/** Words that are not written like others. */
const ACRONYMS: Readonly<Record<string, string>> = {
  api: "API",
  ca: "CA",
  cpu: "CPU",
  dpi: "DPI",
  gb: "GB",
  tls: "TLS",
  url: "URL",
};

/** Returns the title of a field of the API. */
export function formatFieldTitle(name: string): string {
  return TITLES[name] ?? formatTitle(name).replaceAll(
    /\w+/g,
    (word) => ACRONYMS[word.toLowerCase()] ?? word,
  );
}
