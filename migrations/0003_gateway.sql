ALTER TABLE `sessions` ADD `arguments` text DEFAULT '[]' NOT NULL;--> statement-breakpoint
ALTER TABLE `sessions` ADD `max_connections` integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE `sessions` ADD `keep_alive_seconds` real;--> statement-breakpoint
ALTER TABLE `sessions` ADD `idle_since` integer;--> statement-breakpoint
ALTER TABLE `sessions` ADD `reach` text;--> statement-breakpoint
ALTER TABLE `sessions` ADD `warm` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `work_pools` ADD `ready_max_age_minutes` real DEFAULT 60 NOT NULL;--> statement-breakpoint
ALTER TABLE `work_pools` ADD `allowed_arguments` text;--> statement-breakpoint
ALTER TABLE `workers` ADD `ready` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `workers` ADD `reach` text DEFAULT 'auto' NOT NULL;--> statement-breakpoint
ALTER TABLE `workers` ADD `reached` text;--> statement-breakpoint
ALTER TABLE `workers` ADD `tunnel_url` text;