DROP INDEX `sessions_worker`;--> statement-breakpoint
DROP INDEX `sessions_ordered`;--> statement-breakpoint
CREATE INDEX `sessions_worker` ON `sessions` (`worker_id`,`status`,`id`) WHERE "sessions"."worker_id" is not null;--> statement-breakpoint
CREATE INDEX `sessions_ordered` ON `sessions` (`worker_id`) WHERE ("sessions"."stop_requested_at" IS NOT NULL
  AND ("sessions"."status" IN ('starting', 'running') OR "sessions"."stop_force" = 1));
