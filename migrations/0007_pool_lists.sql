DROP INDEX `sessions_queue`;--> statement-breakpoint
CREATE INDEX `sessions_queue` ON `sessions` (`work_pool_id`,`status`,"priority" DESC,`owner`,`id`) WHERE "sessions"."status" = 'pending';--> statement-breakpoint
CREATE INDEX `sessions_pool` ON `sessions` (`work_pool_id`,`status`,`id`);
