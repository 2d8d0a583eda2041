DROP INDEX `sessions_status`;--> statement-breakpoint
CREATE INDEX `sessions_lifetime` ON `sessions` (`expires_at`) WHERE "sessions"."ended_at" is null;--> statement-breakpoint
CREATE INDEX `sessions_lease` ON `sessions` (`lease_expires_at`) WHERE "sessions"."lease_expires_at" is not null;--> statement-breakpoint
CREATE INDEX `sessions_status` ON `sessions` (`status`,`id`);--> statement-breakpoint
CREATE INDEX `api_keys_pool` ON `api_keys` (`work_pool_id`);--> statement-breakpoint
CREATE INDEX `api_keys_role` ON `api_keys` (`role`,`work_pool_id`) WHERE "api_keys"."revoked_at" is null;--> statement-breakpoint
CREATE INDEX `workers_status` ON `workers` (`status`,`id`);--> statement-breakpoint
CREATE INDEX `workers_pool` ON `workers` (`work_pool_id`,`status`,`id`);--> statement-breakpoint
CREATE INDEX `workers_heartbeat` ON `workers` (`status`,`last_heartbeat`);--> statement-breakpoint
CREATE INDEX `workers_drain` ON `workers` (`drain_deadline_at`) WHERE "workers"."drain_deadline_at" is not null;
