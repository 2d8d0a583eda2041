DROP INDEX `sessions_queue`;--> statement-breakpoint
CREATE INDEX `sessions_owner_status` ON `sessions` (`owner`,`status`);--> statement-breakpoint
CREATE INDEX `sessions_queue` ON `sessions` (`work_pool_id`,`status`,"priority" DESC,`owner`,`id`);--> statement-breakpoint
ALTER TABLE `api_keys` ADD `max_sessions` integer;--> statement-breakpoint
ALTER TABLE `api_keys` ADD `max_queue` integer;--> statement-breakpoint
ALTER TABLE `api_keys` ADD `max_priority` integer;