DROP INDEX `sessions_owner_status`;--> statement-breakpoint
DROP INDEX `sessions_owner`;--> statement-breakpoint
CREATE INDEX `sessions_owner` ON `sessions` (`owner`,`status`,`id`);
