ALTER TABLE `work_pools` ADD `egress` text DEFAULT 'auto' NOT NULL;--> statement-breakpoint
ALTER TABLE `work_pools` ADD `egress_allow` text DEFAULT '[]' NOT NULL;