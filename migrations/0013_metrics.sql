CREATE TABLE `worker_metrics` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`worker_id` text NOT NULL,
	`cpu_percent` real,
	`cpu_percent_max` real,
	`memory_usage_mb` real,
	`memory_usage_mb_max` real,
	`disk_usage_mb` real,
	`current_load` real,
	`current_load_max` real,
	`samples` integer DEFAULT 1 NOT NULL,
	`span_seconds` integer DEFAULT 0 NOT NULL,
	`timestamp` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `worker_metrics_worker` ON `worker_metrics` (`worker_id`,`timestamp`);--> statement-breakpoint
CREATE INDEX `worker_metrics_raw` ON `worker_metrics` (`timestamp`) WHERE "worker_metrics"."span_seconds" = 0;--> statement-breakpoint
CREATE INDEX `worker_metrics_age` ON `worker_metrics` (`timestamp`);--> statement-breakpoint
DROP INDEX `session_metrics_session`;--> statement-breakpoint
ALTER TABLE `session_metrics` ADD `cpu_percent_max` real;--> statement-breakpoint
ALTER TABLE `session_metrics` ADD `memory_mb_max` real;--> statement-breakpoint
ALTER TABLE `session_metrics` ADD `disk_read_bytes` integer;--> statement-breakpoint
ALTER TABLE `session_metrics` ADD `disk_write_bytes` integer;--> statement-breakpoint
ALTER TABLE `session_metrics` ADD `samples` integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE `session_metrics` ADD `span_seconds` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX `session_metrics_raw` ON `session_metrics` (`timestamp`) WHERE "session_metrics"."span_seconds" = 0;--> statement-breakpoint
CREATE INDEX `session_metrics_session` ON `session_metrics` (`session_id`,`timestamp`);