CREATE TABLE `idempotency_keys` (
	`caller` text NOT NULL,
	`key` text NOT NULL,
	`fingerprint` text NOT NULL,
	`session_id` text NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`caller`, `key`),
	FOREIGN KEY (`session_id`) REFERENCES `sessions`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `idempotency_keys_session` ON `idempotency_keys` (`session_id`);--> statement-breakpoint
CREATE INDEX `idempotency_keys_age` ON `idempotency_keys` (`created_at`);--> statement-breakpoint
DROP INDEX `sessions_queue`;--> statement-breakpoint
ALTER TABLE `sessions` ADD `start_deadline_at` integer;--> statement-breakpoint
ALTER TABLE `sessions` ADD `attended_until` integer;--> statement-breakpoint
CREATE INDEX `sessions_ended` ON `sessions` (`ended_at`) WHERE "sessions"."ended_at" is not null;--> statement-breakpoint
CREATE INDEX `sessions_ordered` ON `sessions` (`worker_id`) WHERE "sessions"."stop_requested_at" is not null;--> statement-breakpoint
CREATE INDEX `sessions_waiting` ON `sessions` (`status`,CASE WHEN "attended_until" < "queue_deadline_at"
    THEN "attended_until" ELSE "queue_deadline_at" END) WHERE "sessions"."status" = 'pending';--> statement-breakpoint
CREATE INDEX `sessions_queue` ON `sessions` (`work_pool_id`,`status`,"priority" DESC,`id`);--> statement-breakpoint
ALTER TABLE `workers` ADD `instance_id` text;--> statement-breakpoint
ALTER TABLE `workers` ADD `drain_deadline_at` integer;