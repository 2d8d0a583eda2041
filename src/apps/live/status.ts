/** Modes of links: to watch, or also to take control. */
export const LINK_MODES = ["view", "control"] as const;

export type LinkMode = (typeof LINK_MODES)[number];

/** State of a link. */
export const LINK_STATUSES = ["active", "expired", "revoked"] as const;

export type LinkStatus = (typeof LINK_STATUSES)[number];
